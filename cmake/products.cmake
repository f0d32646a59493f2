# What gets installed: the program, the library, its header.
if(GOLLUM_SERVER AND EXISTS ${PROJECT_SOURCE_DIR}/src/cli/main.c)
  add_executable(gollum src/cli/main.c)
  target_link_libraries(gollum PRIVATE gol_cli)
endif()
