# Compiler flags for everything. No -march=native and no -ffast-math: one binary runs everywhere and gives the same bits.
add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
  -Wvla -Wwrite-strings -fno-strict-aliasing -ffp-contract=off -fvisibility=hidden)
if(GOLLUM_WERROR)
  add_compile_options(-Werror)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O3 -g1") # assertions stay on
set(CMAKE_C_FLAGS_DEBUG "-O1 -g3 -DGOL_DEBUG=1")

if(GOLLUM_SANITIZE)
  add_compile_options(-fsanitize=${GOLLUM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${GOLLUM_SANITIZE})
  add_compile_definitions(GOL_DEBUG=1 GOL_SANITIZED=1)
else()
  add_compile_options(-fstack-protector-strong)
  # Some distributions' gcc defines it already, with another value.
  add_compile_options("$<$<CONFIG:Release>:SHELL:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>")
  if(NOT APPLE)
    add_link_options(-Wl,-z,relro -Wl,-z,now)
  endif()
endif()

if(GOLLUM_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "GOLLUM_FUZZ needs clang (libFuzzer); the compiler is ${CMAKE_C_COMPILER_ID}")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
