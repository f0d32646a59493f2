# tests/unit/<layer>/test_*.c: one program and one CTest entry each, linked with its layer (and what that may use).
# Every test runs in its own process with a timeout (longer where the code runs slower); GOLLUM_CONFORMANCE names the optional data of other implementations.
# TEST_EMULATED is 1 under qemu-user, where the kernel is the host's and some of its calls do nothing.
set(GOLLUM_CONFORMANCE "${PROJECT_SOURCE_DIR}/../shared/conformance" CACHE PATH "Conformance data, may be absent")
file(GLOB layer_dirs RELATIVE ${PROJECT_SOURCE_DIR}/tests/unit CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/unit/*)

# Timeouts are for tests that hang; one that runs beside many others on a small machine is to pass.
set(GOLLUM_TIMEOUT_FACTOR 10)
if(CMAKE_CROSSCOMPILING OR GOLLUM_SANITIZE)
  set(GOLLUM_TIMEOUT_FACTOR 20)
endif()

function(gol_test name source)
  cmake_parse_arguments(arg "" "TIMEOUT" "LINK;LABELS" ${ARGN})
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE ${arg_LINK} PkgConfig::CMOCKA)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE
    TEST_EMULATED=$<BOOL:${CMAKE_CROSSCOMPILING}>
    TEST_DATA_DIR="${PROJECT_SOURCE_DIR}/tests/data" TEST_CONFORMANCE_DIR="${GOLLUM_CONFORMANCE}")
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * ${GOLLUM_TIMEOUT_FACTOR}")
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}" SKIP_RETURN_CODE 77)
endfunction()

# The public library is tested with model files that the tests make.
set(gol_test_link_lib gol_make_model)

foreach(layer ${layer_dirs})
  if(TARGET gol_${layer})
    file(GLOB test_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/unit/${layer}/test_*.c)
    foreach(source ${test_sources})
      get_filename_component(name ${source} NAME_WE)
      gol_test(${name} ${source} LINK gol_${layer} ${gol_test_link_${layer}} LABELS unit)
    endforeach()
  endif()
endforeach()

# Further kinds of test describe themselves: tests/<kind>/CMakeLists.txt.
file(GLOB kind_lists CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/*/CMakeLists.txt)
foreach(kind_list ${kind_lists})
  get_filename_component(kind_dir ${kind_list} DIRECTORY)
  get_filename_component(kind ${kind_dir} NAME)
  add_subdirectory(${kind_dir} ${PROJECT_BINARY_DIR}/tests/${kind})
endforeach()
