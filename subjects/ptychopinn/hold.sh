#!/bin/sh
# hold.sh CHECKOUT INTERPRETER FOLDER COMMIT...
#
# Holds both stacks of PtychoPINN at each commit, and writes results.json into FOLDER/COMMIT/SUBJECT. The sources come
# from the history of CHECKOUT, beside a copy of this folder's declaration and bindings: nothing in CHECKOUT is written,
# and what lies there uncommitted is not held. Ends with 3 where something that it needs is not there.
set -eu

checkout=$1 interpreter=$2
mkdir -p "$3"
folder=$(cd "$3" && pwd)
shift 3
here=$(cd "$(dirname "$0")" && pwd)

missing() {
    echo "make ptychopinn: expected $1" >&2
    exit 3
}

[ -n "$checkout" ] || missing "CHECKOUT=PATH, a checkout of PtychoPINN, got none"
for commit in "$@"; do
    for package in ptycho ptycho_torch; do
        git -C "$checkout" cat-file -e "$commit:$package" 2>/dev/null ||
            missing "a checkout of PtychoPINN with the commit $commit, got CHECKOUT=$checkout"
    done
done
[ -x "$interpreter" ] || missing "INTERPRETER=PATH, a Python that can import PtychoPINN, got $interpreter"
interpreter=$(cd "$(dirname "$interpreter")" && pwd)/$(basename "$interpreter")

for commit in "$@"; do
    held=$folder/$commit
    rm -rf "$held"
    mkdir -p "$held"
    export GIT_INDEX_FILE="$held/index" # not that of the checkout
    git -C "$checkout" read-tree "$commit"
    git -C "$checkout" ls-files -z 'ptycho/*.py' 'ptycho_torch/*.py' |
        git -C "$checkout" checkout-index -z --stdin --prefix="$held/"
    unset GIT_INDEX_FILE
    cp "$here"/bindings_*.py "$here"/parity-baseline.toml "$held"
    sed "s#^bindings#python = \"$interpreter\"\n&#" "$here/parity.toml" > "$held/parity.toml"
    for subject in pinn-torch pinn-tensorflow; do
        echo "$subject at $commit"
        (cd "$held" && parity run --subject $subject --examples 0 --precision f32,f64,wide --limit 3600 --report $subject) || [ $? -ne 2 ]
    done
done
