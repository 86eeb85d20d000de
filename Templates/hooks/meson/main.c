// Firmware that provisions itself: the device library on a console, and a program around it.
#include <string.h>

#include "board.h"
#include "device_provisioning.h"

static void write_log(const char *text) { board_log((const uint8_t *)text, strlen(text)); }

int main(void) {
    board_start();
    write_log("boot hooks/native\r\n");
    if (!dp_start()) write_log("provisioning did not start: storage, crypto or entropy failed\r\n");
    for (;;) {
        const int32_t received = board_receive();
        if (received == BOARD_CLOSED) return 0;
        if (received >= 0) dp_receive((uint8_t)received);
    }
}
