# Cross build for 64-bit Arm Linux with Debian's cross compiler; tests run under qemu-aarch64 (preset "arm64").
# Libraries come from build/arm64-sysroot, which scripts/setup.sh --arm64 unpacks from Debian's own arm64 packages:
# nothing foreign is installed on the host.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)

get_filename_component(gol_sysroot "${CMAKE_CURRENT_LIST_DIR}/../build/arm64-sysroot" ABSOLUTE)
set(gol_sysroot_lib ${gol_sysroot}/usr/lib/aarch64-linux-gnu)
set(ENV{PKG_CONFIG_LIBDIR} ${gol_sysroot_lib}/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${gol_sysroot})

set(CMAKE_FIND_ROOT_PATH ${gol_sysroot} /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY BOTH)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE BOTH)

set(CMAKE_CROSSCOMPILING_EMULATOR
    qemu-aarch64 -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH=${gol_sysroot_lib}:/usr/aarch64-linux-gnu/lib)
