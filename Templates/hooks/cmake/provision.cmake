# provision_target(<executable> PLATFORM <platform>) adds the target `provision`, which builds the executable, flashes it,
# gives the device's key a certificate and attaches the console.
#
# PROVISION_ARGUMENTS, a list, is handed on: cmake -B build -DPROVISION_ARGUMENTS="--detach;--port;/dev/ttyACM0"
set(PROVISION_ARGUMENTS "" CACHE STRING "More arguments for `provision run`")

function(provision_target executable)
  cmake_parse_arguments(PARSE_ARGV 1 board "" "PLATFORM" "")
  add_custom_target(provision
    COMMAND provision run --platform ${board_PLATFORM} --firmware $<TARGET_FILE:${executable}>
      ${PROVISION_ARGUMENTS}
    DEPENDS ${executable}
    # The console needs the terminal, and Ninja gives it to one of these at a time.
    USES_TERMINAL
    VERBATIM)
endfunction()
