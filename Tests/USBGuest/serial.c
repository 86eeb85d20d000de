// The native board on standard streams, for a serial line's device end: serial <TTY >TTY. It says so, and serves.
#include <string.h>

#include "board.h"
#include "device_provisioning.h"

int main(void) {
    board_start();
    static const char greeting[] = "boot native\r\n";
    board_log((const uint8_t *)greeting, strlen(greeting));
    if (!dp_start()) return 1;
    while (true) {
        const int32_t byte = board_receive();
        if (byte == BOARD_CLOSED) return 0;
        if (byte >= 0) dp_receive((uint8_t)byte);
    }
}
