// The least that libusb takes to talk to a gadget that echoes: bare echo COUNT, or bare stream LENGTH COUNT. Prints seconds.
#include <libusb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { IN = 0x81, OUT = 0x02, TIMEOUT = 60000 };

static libusb_device_handle *device;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int move(uint8_t endpoint, uint8_t *bytes, int length) {
    int moved = 0;
    const int error = libusb_bulk_transfer(device, endpoint, bytes, length, &moved, TIMEOUT);
    if (error == 0) return moved;
    fprintf(stderr, "bare: %s\n", libusb_strerror(error));
    exit(1);
}

static void echo(int length) {
    uint8_t bytes[512];
    memset(bytes, 0x55, sizeof bytes);
    move(OUT, bytes, length);
    for (int count = 0; count < length;) count += move(IN, bytes, sizeof bytes);
}

static void stream(int length) {
    static uint8_t bytes[1 << 14];
    bytes[0] = 0;
    move(OUT, bytes, 1);
    for (int count = 0; count < length;) count += move(IN, bytes, sizeof bytes);
}

int main(int count, char **values) {
    if (count < 3 || libusb_init(NULL) != 0) return 2;
    device = libusb_open_device_with_vid_pid(NULL, 0x1209, 0x0002);
    if (device == NULL || libusb_claim_interface(device, 0) != 0) return 1;
    const int number = atoi(values[2]), times = count > 3 ? atoi(values[3]) : 1;
    const double start = now();
    if (strcmp(values[1], "echo") == 0) {
        for (int index = 0; index < number; index++) echo(64);
    } else {
        for (int index = 0; index < times; index++) stream(number);
    }
    printf("%f\n", now() - start);
    return 0;
}
