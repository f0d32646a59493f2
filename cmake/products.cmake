# What gets installed: the program; the library in both forms, its header, gollum.pc and a CMake package.
include(GNUInstallDirs)

if(GOLLUM_SERVER AND EXISTS ${PROJECT_SOURCE_DIR}/src/cli/main.c)
  add_executable(gollum src/cli/main.c)
  target_link_libraries(gollum PRIVATE gol_cli)
  install(TARGETS gollum RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  # The built-in model. The program looks for it beside itself first, so that prefixes can be moved and --prefix given later.
  target_compile_definitions(gol_cli PRIVATE GOL_DATA_DIR="${CMAKE_INSTALL_FULL_DATADIR}")
  install(FILES ${PROJECT_SOURCE_DIR}/models/gollum-demo.gguf DESTINATION ${CMAKE_INSTALL_DATADIR}/gollum/models OPTIONAL)
endif()

if(NOT EXISTS ${PROJECT_SOURCE_DIR}/include/gollum.h)
  return()
endif()

# The layers that gollum.h's implementation stands on, as one archive and one shared object. Everything that is not
# marked in gollum.h stays hidden (-fvisibility=hidden).
set(gol_objects "")
foreach(layer base quant formats backend model text engine lib)
  get_target_property(type gol_${layer} TYPE)
  if(type STREQUAL STATIC_LIBRARY)
    list(APPEND gol_objects $<TARGET_OBJECTS:gol_${layer}>)
  endif()
endforeach()

add_library(gollum_static STATIC ${gol_objects})
add_library(gollum_shared SHARED ${gol_objects})
foreach(library gollum_static gollum_shared)
  set_target_properties(${library} PROPERTIES OUTPUT_NAME gollum LINKER_LANGUAGE C EXPORT_NAME ${library})
  target_include_directories(${library} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
set_target_properties(gollum_shared PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
target_link_libraries(gollum_shared PRIVATE PkgConfig::PCRE2 PkgConfig::UTF8PROC PkgConfig::JANSSON PkgConfig::XXHASH Threads::Threads m)
if(NOT APPLE AND NOT GOLLUM_SANITIZE)
  target_link_options(gollum_shared PRIVATE -Wl,--no-undefined)
endif()

file(RELATIVE_PATH gol_pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${CMAKE_CURRENT_LIST_DIR}/gollum.pc.in ${PROJECT_BINARY_DIR}/gollum.pc @ONLY)
configure_file(${CMAKE_CURRENT_LIST_DIR}/gollum-config.cmake.in ${PROJECT_BINARY_DIR}/gollum-config.cmake @ONLY)
include(CMakePackageConfigHelpers)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/gollum-config-version.cmake COMPATIBILITY SameMinorVersion)

install(TARGETS gollum_static gollum_shared EXPORT gollum-targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${PROJECT_SOURCE_DIR}/include/gollum.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_BINARY_DIR}/gollum.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(EXPORT gollum-targets NAMESPACE gollum:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/gollum)
install(FILES ${PROJECT_BINARY_DIR}/gollum-config.cmake ${PROJECT_BINARY_DIR}/gollum-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/gollum)
