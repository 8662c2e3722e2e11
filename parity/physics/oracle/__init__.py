"""The physics of both stacks in NumPy, with the error bound of every value and gradient.

File and function names are those of the stacks. Each function is written once over `operations`; a
differentiable one has its vector–Jacobian product beside it, named `<function>_vjp`, which takes the cotangents of the
results first and returns the gradients of the differentiable arguments in order. The gradient of a real L with respect
to a complex z is ∂L/∂Re z + i·∂L/∂Im z, so that a complex cotangent w stands for L = Σ Re(w̄·f).
Layouts are canonical (`parity.physics.kinds`). Inputs are taken as valid: the harness checks them at its border.
"""
