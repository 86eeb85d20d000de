// A USB device: the device library on a Linux gadget's two bulk endpoints, by FunctionFS. Storage, keys and ID
// are the native board's, in the folder that PROVISION_NATIVE_STATE names.
//
//   gadget FUNCTIONFS UDC-FILE UDC
//
// Writes UDC into UDC-FILE, which plugs it in, and prints `plugged`. A reset starts it over, and takes it off
// the bus meanwhile. GADGET_FAULT has it misbehave:
//   stall-in:N stall-out:N       the endpoint stalls once, before its packet N
//   stall-in-always:N            and again whenever the host cleared it
//   unplug:N                     leaves the bus before its packet N to the host
//   lossy:SEED                   drops and alters packets' octets, in both directions
//   noise                        random octets without end, whatever the host says
//   no-zlp                       leaves the packets away that end a transfer
//   silent                       takes everything and says nothing
//   echo:N                       is no board: it says what it hears, and at a zero octet N octets, as fast as it can
//   endless:N                    the same, and leaves the packets away that end a transfer
//   relay:PORT                   is no board: its octets are those of a connection to that port of this machine
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <arpa/inet.h>
#include <linux/usb/functionfs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "board.h"
#include "device_provisioning.h"
#include "device_provisioning_hal.h"
#include "device_provisioning_usb.h"

enum { RING = 4096, PACKET = 512 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int control, out_file, in_file;
static const char *udc_file;
static char **arguments;

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "gadget: %s: %s\n", what, strerror(errno));
    _exit(1);
}

// MARK: Faults

static const char *fault = "";

/// Whether the fault is `name:`, and its number.
static bool is_fault(const char *name, unsigned long *number) {
    const size_t length = strlen(name);
    if (strncmp(fault, name, length) != 0 || fault[length] != ':') return false;
    *number = strtoul(fault + length + 1, NULL, 10);
    return true;
}

static uint32_t next_random(void) {
    static uint32_t state;
    unsigned long seed = 1;
    if (state == 0) state = is_fault("lossy", &seed) && seed > 0 ? (uint32_t)seed : 1;
    state ^= state << 13, state ^= state >> 17, state ^= state << 5;
    return state;
}

/// One octet in a thousand is dropped, and one is altered.
static size_t damage(uint8_t *packet, size_t length) {
    unsigned long seed;
    if (!is_fault("lossy", &seed)) return length;
    size_t kept = 0;
    for (size_t index = 0; index < length; index++) {
        const uint32_t dice = next_random() % 1000;
        if (dice == 0) continue;
        packet[kept++] = packet[index] ^ (dice == 1 ? 0x10 : 0);
    }
    return kept;
}

// MARK: Endpoints

static void put(const char *path, const char *text) {
    const int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0 || write(file, text, strlen(text)) < 0) fail(path);
    close(file);
}

static void signal_change(void) { pthread_cond_broadcast(&changed); }

/// FunctionFS halts an endpoint that is used in the wrong direction.
static void stall(int file, bool is_in) {
    uint8_t nothing[1] = {0};
    const ssize_t count = is_in ? read(file, nothing, 1) : write(file, nothing, 1);
    if (count < 0 && errno == EBADMSG) {
        printf("stalled\n");
        fflush(stdout);
    }
}

static _Noreturn void *receive_packets(void *unused) {
    (void)unused;
    uint8_t packet[PACKET];
    unsigned long count = 0, at;
    while (true) {
        pthread_mutex_lock(&mutex);
        while (!dp_usb_has_room()) pthread_cond_wait(&changed, &mutex);
        pthread_mutex_unlock(&mutex);
        if (is_fault("stall-out", &at) && count == at) stall(out_file, false);
        count++;
        const ssize_t length = read(out_file, packet, sizeof packet);
        if (length < 0) {
            usleep(1000);
            continue;
        }
        const size_t kept = damage(packet, (size_t)length);
        pthread_mutex_lock(&mutex);
        dp_usb_received(packet, kept);
        signal_change();
        pthread_mutex_unlock(&mutex);
    }
}

/// The next packet, when there is one.
static size_t await_packet(uint8_t *packet) {
    int32_t length;
    pthread_mutex_lock(&mutex);
    while ((length = dp_usb_packet(packet)) < 0) pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    return (size_t)length;
}

static _Noreturn void send_noise(void) {
    uint8_t packet[PACKET];
    while (true) {
        for (size_t index = 0; index < sizeof packet; index++) packet[index] = (uint8_t)next_random();
        if (write(in_file, packet, sizeof packet) < 0) usleep(1000);
    }
}

static _Noreturn void *send_packets(void *unused) {
    (void)unused;
    uint8_t packet[PACKET];
    unsigned long count = 0, at;
    if (strcmp(fault, "noise") == 0) send_noise();
    while (true) {
        size_t length = await_packet(packet);
        if (is_fault("unplug", &at) && count == at) put(udc_file, "\n");
        if (is_fault("stall-in", &at) && count == at) stall(in_file, true);
        while (is_fault("stall-in-always", &at) && count >= at) {
            stall(in_file, true);
            usleep(1000);
        }
        count++;
        const bool is_left_away =
            length == 0 && (strcmp(fault, "no-zlp") == 0 || is_fault("endless", &at));
        length = damage(packet, length);
        // A stall ends the write, and the host has the packet to come.
        while (!is_left_away && write(in_file, packet, length) < 0) {
            if (errno == ESHUTDOWN || errno == EINTR || errno == ENODEV) break;
            usleep(1000);
        }
        pthread_mutex_lock(&mutex);
        dp_usb_sent();
        signal_change();
        pthread_mutex_unlock(&mutex);
    }
}

// MARK: Control

static struct {
    struct usb_functionfs_descs_head_v2 head;
    __le32 full_speed_count, high_speed_count;
    struct {
        struct usb_interface_descriptor interface;
        struct usb_endpoint_descriptor_no_audio in, out;
    } __attribute__((packed)) full_speed, high_speed;
} __attribute__((packed)) descriptors;

#define DESCRIPTORS_AT(packet_size) \
    { \
        .interface = {.bLength = 9, .bDescriptorType = USB_DT_INTERFACE, .bNumEndpoints = 2, \
                      .bInterfaceClass = USB_CLASS_VENDOR_SPEC, .iInterface = 1}, \
        .in = {.bLength = 7, .bDescriptorType = USB_DT_ENDPOINT, .bEndpointAddress = 1 | USB_DIR_IN, \
               .bmAttributes = USB_ENDPOINT_XFER_BULK, .wMaxPacketSize = packet_size}, \
        .out = {.bLength = 7, .bDescriptorType = USB_DT_ENDPOINT, .bEndpointAddress = 2 | USB_DIR_OUT, \
                .bmAttributes = USB_ENDPOINT_XFER_BULK, .wMaxPacketSize = packet_size}, \
    }

static const struct {
    struct usb_functionfs_strings_head head;
    __le16 language;
    char interface[sizeof "provisioning"];
} __attribute__((packed)) strings = {
    .head = {.magic = FUNCTIONFS_STRINGS_MAGIC, .length = sizeof strings, .str_count = 1,
             .lang_count = 1},
    .language = 0x0409,
    .interface = "provisioning",
};

static void plug_in(const char *udc) {
    descriptors.head = (struct usb_functionfs_descs_head_v2){
        .magic = FUNCTIONFS_DESCRIPTORS_MAGIC_V2,
        .length = sizeof descriptors,
        .flags = FUNCTIONFS_HAS_FS_DESC | FUNCTIONFS_HAS_HS_DESC,
    };
    descriptors.full_speed_count = descriptors.high_speed_count = 3;
    __typeof__(descriptors.full_speed) full = DESCRIPTORS_AT(64), high = DESCRIPTORS_AT(512);
    memcpy(&descriptors.full_speed, &full, sizeof full);
    memcpy(&descriptors.high_speed, &high, sizeof high);
    if (write(control, &descriptors, sizeof descriptors) < 0) fail("descriptors");
    if (write(control, &strings, sizeof strings) < 0) fail("strings");
    in_file = open("ep1", O_RDWR | O_CLOEXEC);
    out_file = open("ep2", O_RDWR | O_CLOEXEC);
    if (in_file < 0 || out_file < 0) fail("endpoints");
    put(udc_file, udc);
}

static _Noreturn void *answer_control(void *unused) {
    (void)unused;
    struct usb_functionfs_event event;
    while (read(control, &event, sizeof event) == sizeof event) {
        struct usb_endpoint_descriptor endpoint;
        pthread_mutex_lock(&mutex);
        if (event.type == FUNCTIONFS_ENABLE) {
            if (ioctl(in_file, FUNCTIONFS_ENDPOINT_DESC, &endpoint) < 0) fail("packet size");
            dp_usb_configured(le16toh(endpoint.wMaxPacketSize));
        }
        if (event.type == FUNCTIONFS_DISABLE || event.type == FUNCTIONFS_UNBIND)
            dp_usb_disconnected();
        signal_change();
        pthread_mutex_unlock(&mutex);
        // No request is known: the opposite direction refuses it.
        uint8_t nothing = 0;
        if (event.type == FUNCTIONFS_SETUP)
            (void)!(event.u.setup.bRequestType & USB_DIR_IN ? read(control, &nothing, 0)
                                                           : write(control, &nothing, 0));
    }
    fail("control");
}

// MARK: The board

void dp_hal_write(const uint8_t *bytes, size_t length) {
    pthread_mutex_lock(&mutex);
    while (length > 0) {
        const size_t taken = dp_usb_write(bytes, length);
        signal_change();
        bytes += taken;
        length -= taken;
        if (taken == 0) pthread_cond_wait(&changed, &mutex);
    }
    pthread_mutex_unlock(&mutex);
}

void dp_hal_reset(void) {
    // The answer to the reset is still in the ring, and leaves it quickly.
    usleep(100000);
    unsetenv("PROVISION_NATIVE_ERASE");
    execv("/proc/self/exe", arguments);
    fail("reset");
}

static uint8_t await_byte(void) {
    int32_t byte;
    pthread_mutex_lock(&mutex);
    while ((byte = dp_usb_read()) < 0) pthread_cond_wait(&changed, &mutex);
    signal_change();
    pthread_mutex_unlock(&mutex);
    return (uint8_t)byte;
}

// MARK: Relay

static int relay_socket = -1;

/// From the connection to the host. When it ends, so does the device.
static _Noreturn void *relay_to_host(void *unused) {
    (void)unused;
    uint8_t bytes[4096];
    ssize_t length;
    while ((length = recv(relay_socket, bytes, sizeof bytes, 0)) > 0)
        dp_hal_write(bytes, (size_t)length);
    put(udc_file, "\n");
    _exit(0);
}

static _Noreturn void relay(uint16_t port) {
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    relay_socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(relay_socket, (const struct sockaddr *)&address, sizeof address) != 0) fail("relay");
    pthread_t thread;
    if (pthread_create(&thread, NULL, relay_to_host, NULL) != 0) fail("threads");
    while (true) {
        uint8_t bytes[4096];
        size_t length = 1;
        bytes[0] = await_byte();
        pthread_mutex_lock(&mutex);
        int32_t byte;
        while (length < sizeof bytes && (byte = dp_usb_read()) >= 0) bytes[length++] = (uint8_t)byte;
        signal_change();
        pthread_mutex_unlock(&mutex);
        for (size_t sent = 0; sent < length;) {
            const ssize_t part = send(relay_socket, bytes + sent, length - sent, MSG_NOSIGNAL);
            if (part < 0) fail("relay");
            sent += (size_t)part;
        }
    }
}

static _Noreturn void echo(unsigned long length) {
    static uint8_t zeros[PACKET];
    while (true) {
        uint8_t bytes[RING];
        size_t count = 1;
        bytes[0] = await_byte();
        pthread_mutex_lock(&mutex);
        int32_t byte;
        while (count < sizeof bytes && (byte = dp_usb_read()) >= 0) bytes[count++] = (uint8_t)byte;
        signal_change();
        pthread_mutex_unlock(&mutex);
        if (bytes[0] != 0) {
            dp_hal_write(bytes, count);
            continue;
        }
        for (unsigned long rest = length; rest > 0;) {
            const size_t part = rest < sizeof zeros ? rest : sizeof zeros;
            dp_hal_write(zeros, part);
            rest -= part;
        }
    }
}

int main(int count, char **values) {
    if (count != 4) return 2;
    arguments = values;
    udc_file = values[2];
    if (getenv("GADGET_FAULT") != NULL) fault = getenv("GADGET_FAULT");
    board_start();
    if (!dp_start()) fprintf(stderr, "gadget: the device did not start\n");
    static uint8_t out[RING], in[RING];
    dp_usb_start(&(struct dp_usb_ring){out, sizeof out}, &(struct dp_usb_ring){in, sizeof in});
    // From here on only FunctionFS's files are opened, and all by name.
    if (chdir(values[1]) != 0 || (control = open("ep0", O_RDWR | O_CLOEXEC)) < 0) fail(values[1]);
    plug_in(values[3]);
    pthread_t threads[3];
    if (pthread_create(&threads[0], NULL, answer_control, NULL) != 0 ||
        pthread_create(&threads[1], NULL, receive_packets, NULL) != 0 ||
        pthread_create(&threads[2], NULL, send_packets, NULL) != 0)
        fail("threads");
    printf("plugged\n");
    fflush(stdout);
    unsigned long port;
    if (is_fault("relay", &port)) relay((uint16_t)port);
    unsigned long length;
    if (is_fault("echo", &length) || is_fault("endless", &length)) echo(length);
    while (true) {
        const uint8_t byte = await_byte();
        if (strcmp(fault, "silent") != 0) dp_receive(byte);
    }
}
