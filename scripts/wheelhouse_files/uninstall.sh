#!/bin/sh
# Removes what install.sh installed: this folder's installation, else the usual one. City folders, results and accounts stay.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
usual=${XDG_DATA_HOME:-$HOME/.local/share}/lzgis
if [ -d "$here/env" ]; then usual=$here; fi
target=${1:-$usual}
commands=${LZGIS_BIN:-$HOME/.local/bin}
if [ "$(readlink "$commands/lzgis" 2>/dev/null || true)" = "$target/env/bin/lzgis" ]; then rm -f "$commands/lzgis"; fi
rm -f "${XDG_DESKTOP_DIR:-$HOME/Desktop}/lzgis.desktop"
rm -rf "$target/env" "$target/env.old" "$target/uninstall.sh"
echo "已卸载。 Uninstalled."
