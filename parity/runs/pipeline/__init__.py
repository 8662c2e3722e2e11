"""One data set through both loaders and both stacks' whole pipelines, held to the oracle step by step.

The oracle reads the file itself (`source`) and says, with bounds, what every step should come to (`reading`, `model`).
Each stack goes on from what its own loader gave (`loaded`), with weights that were moved into its own network
(`network`). `holding` measures and judges, `causes` explains what is off.
"""
