// A USB device in umockdev's sysfs, for one program: mock DEVICES PROGRAM ARGUMENT..., under umockdev-wrapper. What
// libusb asks of /dev/bus/usb/001/002 is answered by the device library's bulk rings. The kernel's part is imitated, and
// the guest's tests have the real one. MOCK_FAULT has it misbehave:
//   stall:N     halts the IN endpoint before its packet N
//   stalls:N    and again whenever the host cleared it
//   stuck:N     halts it, and never answers the request to clear that
//   gone:N      leaves before packet N
//   busy        another program has the interface
//   no-zlp      leaves the packets away that end a transfer
//   zeros:N     is no board: at each packet it says N zero octets; a multiple of 512 has no packet that ends it
//   empty       says nothing, in packets without end
//   deaf        takes nothing, and says zero octets without end
// With MOCK_LINE it is no board either: its octets are those of that serial port. With MOCK_DEVICE they are those of a
// program's standard streams. It leaves when the other end does. MOCK_PEAK is where the peak memory of PROGRAM goes, KiB.
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <linux/types.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <umockdev.h>
#include <unistd.h>

#include "board.h"
#include "device_provisioning.h"
#include "device_provisioning_hal.h"
#include "device_provisioning_usb.h"

enum { PACKET = 512 };

struct urb {
    UMockdevIoctlData *data;
    int size, count;
};

static GQueue incoming = G_QUEUE_INIT, untaken = G_QUEUE_INIT, ended = G_QUEUE_INIT;
static const char *fault = "";
static unsigned long packets;
static gboolean is_halted, was_halted, is_gone;
/// The device has begun anew with the endpoint, and the host has not.
static gboolean is_out_of_step;
/// That are still to be said.
static unsigned long zeros;
/// The serial port's descriptor, or the program's; -1: the board is in here.
static int line = -1;
/// What the ring had no room for.
static uint8_t heard[PACKET];
static size_t heard_length;

/// Whether the fault is `name:`, and how often.
static gboolean has_fault(const char *name, unsigned long *number) {
    const size_t length = strlen(name);
    if (strncmp(fault, name, length) != 0 || fault[length] != ':') return FALSE;
    *number = strtoul(fault + length + 1, NULL, 10);
    return TRUE;
}

/// Whether it is `name:` and that many packets have left.
static gboolean is_fault(const char *name) {
    unsigned long number;
    return has_fault(name, &number) && packets >= number;
}

static void set_int(UMockdevIoctlData *urb, gulong offset, gint32 value) {
    umockdev_ioctl_data_update(urb, offset, (guint8 *)&value, sizeof value);
}

static void end(struct urb *urb, int status, int length) {
    set_int(urb->data, offsetof(struct usbdevfs_urb, status), status);
    set_int(urb->data, offsetof(struct usbdevfs_urb, actual_length), length);
    g_queue_push_tail(&ended, urb);
}

static struct usbdevfs_urb content(UMockdevIoctlData *data) {
    struct usbdevfs_urb urb;
    guint8 *bytes;
    int length;
    umockdev_ioctl_data_retrieve(data, &bytes, &length);
    memcpy(&urb, bytes, sizeof urb);
    return urb;
}

static UMockdevIoctlData *buffer(UMockdevIoctlData *data) {
    const struct usbdevfs_urb urb = content(data);
    return urb.buffer_length == 0 ? NULL
                                  : umockdev_ioctl_data_resolve(
                                        data, offsetof(struct usbdevfs_urb, buffer),
                                        (gulong)urb.buffer_length, NULL);
}

/// What is no board speaks whenever there is room in the ring.
static void refill(void) {
    static const uint8_t nothing[PACKET];
    while (zeros > 0) {
        const size_t taken = dp_usb_write(nothing, zeros < PACKET ? zeros : PACKET);
        if (taken == 0) return;
        zeros -= taken;
    }
    while (line >= 0) {
        if (heard_length == 0) {
            const ssize_t length = read(line, heard, sizeof heard);
            if (length == 0 || (length < 0 && errno != EAGAIN)) is_gone = TRUE;
            if (length <= 0) return;
            heard_length = (size_t)length;
        }
        const size_t taken = dp_usb_write(heard, heard_length);
        if (taken == 0) return;
        heard_length -= taken;
        memmove(heard, heard + taken, heard_length);
    }
}

/// Gives the host what the device has, as far as it asks. A transfer ends when it is full, or with a packet that is not.
static void send_packets(void) {
    uint8_t packet[PACKET];
    unsigned long number;
    while (!g_queue_is_empty(&incoming)) {
        if (is_fault("gone")) is_gone = TRUE;
        if (is_gone) return;
        if (((is_fault("stall") || is_fault("stuck")) && !was_halted) || is_fault("stalls")) is_halted = was_halted = TRUE;
        struct urb *urb = g_queue_peek_head(&incoming);
        if (is_halted) {
            g_queue_pop_head(&incoming);
            end(urb, -EPIPE, urb->count);
            return;
        }
        if (is_out_of_step) {
            g_queue_pop_head(&incoming);
            end(urb, -EPROTO, urb->count);
            return;
        }
        if (strcmp(fault, "empty") == 0) {
            g_queue_pop_head(&incoming);
            end(urb, 0, 0);
            continue;
        }
        refill();
        const int32_t length = dp_usb_packet(packet);
        if (length < 0) return;
        dp_usb_sent();
        if (length == 0 && (strcmp(fault, "no-zlp") == 0 || has_fault("zeros", &number))) continue;
        packets++;
        if (length > 0) umockdev_ioctl_data_update(buffer(urb->data), (gulong)urb->count, packet, length);
        urb->count += length;
        if (length == PACKET && urb->count < urb->size) continue;
        g_queue_pop_head(&incoming);
        end(urb, 0, urb->count);
    }
}

static void take(UMockdevIoctlData *data, int length) {
    guint8 *bytes;
    int count;
    if (length > 0) umockdev_ioctl_data_retrieve(buffer(data), &bytes, &count);
    unsigned long answer = 0;
    const gboolean is_board = !has_fault("zeros", &answer) && line < 0;
    zeros += answer;
    for (int done = 0; done < length && is_board;) {
        const int part = length - done < PACKET ? length - done : PACKET;
        dp_usb_received(bytes + done, (size_t)part);
        for (int32_t byte; (byte = dp_usb_read()) >= 0;) dp_receive((uint8_t)byte);
        done += part;
    }
    for (int done = 0; done < length && line >= 0 && !is_gone;) {
        struct pollfd entry = {.fd = line, .events = POLLOUT};
        poll(&entry, 1, -1);
        const ssize_t part = write(line, bytes + done, (size_t)(length - done));
        if (part < 0 && errno != EAGAIN) is_gone = TRUE;
        if (part > 0) done += (int)part;
    }
}

static int submit(UMockdevIoctlData *argument) {
    struct urb *urb = g_new0(struct urb, 1);
    urb->data = umockdev_ioctl_data_resolve(argument, 0, sizeof(struct usbdevfs_urb), NULL);
    const struct usbdevfs_urb request = content(urb->data);
    urb->size = request.buffer_length;
    if (request.type == USBDEVFS_URB_TYPE_CONTROL) {
        // CLEAR_FEATURE(ENDPOINT_HALT), of the IN endpoint.
        static const guint8 expected[] = {0x02, 0x01, 0, 0, 0x81, 0, 0, 0};
        guint8 *setup;
        int length;
        umockdev_ioctl_data_retrieve(buffer(urb->data), &setup, &length);
        if (length != sizeof expected || memcmp(setup, expected, sizeof expected) != 0) {
            end(urb, -EPIPE, 0);
        } else if (has_fault("stuck", &(unsigned long){0})) {
            g_queue_push_tail(&untaken, urb);
        } else {
            is_halted = FALSE;
            is_out_of_step = TRUE;
            end(urb, 0, 0);
        }
    } else if (request.type != USBDEVFS_URB_TYPE_BULK) {
        end(urb, -EPIPE, 0);
    } else if (request.endpoint & 0x80) {
        g_queue_push_tail(&incoming, urb);
    } else if (strcmp(fault, "deaf") == 0) {
        g_queue_push_tail(&untaken, urb);
        zeros = G_MAXUINT;
    } else {
        take(urb->data, request.buffer_length);
        end(urb, 0, request.buffer_length);
    }
    send_packets();
    return 0;
}

static gint has_address(gconstpointer urb, gconstpointer address) {
    const UMockdevIoctlData *data = ((const struct urb *)urb)->data;
    return data->client_addr == *(const gulong *)address ? 0 : 1;
}

static gboolean handle(UMockdevIoctlBase *base, UMockdevIoctlClient *client, gpointer unused) {
    (void)base, (void)unused;
    const gulong request = umockdev_ioctl_client_get_request(client) & 0xffffffff;
    UMockdevIoctlData *argument = umockdev_ioctl_client_get_arg(client);
    int result = 0, error = 0;
    if (is_gone && request != (USBDEVFS_REAPURBNDELAY & 0xffffffff) && request != USBDEVFS_DISCARDURB) {
        umockdev_ioctl_client_complete(client, -1, ENODEV);
        return TRUE;
    }
    switch (request) {
    case USBDEVFS_GET_CAPABILITIES & 0xffffffff: {
        guint32 capabilities = USBDEVFS_CAP_ZERO_PACKET | USBDEVFS_CAP_NO_PACKET_SIZE_LIM;
        UMockdevIoctlData *data = umockdev_ioctl_data_resolve(argument, 0, sizeof capabilities, NULL);
        umockdev_ioctl_data_update(data, 0, (guint8 *)&capabilities, sizeof capabilities);
        break;
    }
    case USBDEVFS_CONNECTINFO & 0xffffffff: {
        struct usbdevfs_connectinfo info = {.devnum = 2};
        UMockdevIoctlData *data = umockdev_ioctl_data_resolve(argument, 0, sizeof info, NULL);
        umockdev_ioctl_data_update(data, 0, (guint8 *)&info, sizeof info);
        break;
    }
    case USBDEVFS_CLAIMINTERFACE:
        if (strcmp(fault, "busy") == 0) result = -1, error = EBUSY;
        break;
    case USBDEVFS_RESETEP & 0xffffffff: is_out_of_step = FALSE; break;
    case USBDEVFS_CLEAR_HALT & 0xffffffff:
        // The kernel waits for the device, and whoever asked waits for the kernel.
        if (has_fault("stuck", &(unsigned long){0})) return TRUE;
        is_halted = FALSE;
        break;
    case USBDEVFS_RELEASEINTERFACE: break;
    case USBDEVFS_SUBMITURB & 0xffffffff: result = submit(argument); break;
    case USBDEVFS_DISCARDURB: {
        guint8 *address;
        int length;
        umockdev_ioctl_data_retrieve(argument, &address, &length);
        GQueue *queue = &incoming;
        GList *found = g_queue_find_custom(queue, address, has_address);
        if (found == NULL) found = g_queue_find_custom(queue = &untaken, address, has_address);
        if (found == NULL) {
            result = -1, error = EINVAL;
        } else {
            struct urb *urb = found->data;
            g_queue_delete_link(queue, found);
            end(urb, -ENOENT, urb->count);
        }
        break;
    }
    case USBDEVFS_REAPURB & 0xffffffff:
    case USBDEVFS_REAPURBNDELAY & 0xffffffff: {
        send_packets();
        struct urb *urb = g_queue_pop_head(&ended);
        if (urb == NULL) {
            // A descriptor of umockdev's is always ready: whoever waits for it asks again and again.
            usleep(1000);
            result = -1, error = is_gone ? ENODEV : EAGAIN;
            break;
        }
        UMockdevIoctlData *target = umockdev_ioctl_data_resolve(argument, 0, sizeof(void *), NULL);
        umockdev_ioctl_data_set_ptr(target, 0, urb->data);
        g_free(urb);
        break;
    }
    default: result = -1, error = ENOTTY;
    }
    umockdev_ioctl_client_complete(client, result, error);
    return TRUE;
}

// MARK: The board

void dp_hal_write(const uint8_t *bytes, size_t length) {
    while (length > 0) {
        const size_t taken = dp_usb_write(bytes, length);
        // The ring is larger than any answer, so what is left waits for packets that the host asks for.
        if (taken == 0) send_packets();
        bytes += taken;
        length -= taken;
    }
}

void dp_hal_reset(void) { is_gone = TRUE; }

static int exit_status = 1;

static void finish(GPid process, gint status, gpointer loop) {
    (void)process;
    exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    g_main_loop_quit(loop);
}

/// Its end of the program's standard streams.
static int start_device(const char *program) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) exit(99);
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        unsetenv("LD_PRELOAD");
        fcntl(ends[1], F_SETFL, 0);
        dup2(ends[1], STDIN_FILENO);
        dup2(ends[1], STDOUT_FILENO);
        execl(program, program, NULL);
        _exit(99);
    }
    close(ends[1]);
    return ends[0];
}

static void write_peak(const char *path) {
    struct rusage usage;
    FILE *file = fopen(path, "we");
    if (file == NULL || getrusage(RUSAGE_CHILDREN, &usage) != 0) exit(99);
    fprintf(file, "%ld\n", usage.ru_maxrss);
    fclose(file);
}

static void require(gboolean holds, GError *error) {
    if (holds) return;
    g_printerr("mock: %s\n", error == NULL ? "failed" : error->message);
    exit(99);
}

int main(int count, char **values) {
    if (count < 3) return 2;
    if (getenv("MOCK_FAULT") != NULL) fault = getenv("MOCK_FAULT");
    if (getenv("MOCK_LINE") != NULL) {
        line = open(getenv("MOCK_LINE"), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        if (line < 0) return 2;
    }
    if (getenv("MOCK_DEVICE") != NULL) line = start_device(getenv("MOCK_DEVICE"));
    GError *error = NULL;
    UMockdevTestbed *testbed = umockdev_testbed_new();
    require(umockdev_testbed_add_from_file(testbed, values[1], &error), error);
    UMockdevIoctlBase *handler = umockdev_ioctl_base_new();
    g_signal_connect(handler, "handle-ioctl", G_CALLBACK(handle), NULL);
    require(umockdev_testbed_attach_ioctl(testbed, "/dev/bus/usb/001/002", handler, &error), error);
    char *folder = g_get_current_dir();
    // The flash is the other program's, if there is one.
    if (line < 0) {
        board_start();
        require(dp_start(), NULL);
    }
    static uint8_t out[PACKET], in[1 << 16];
    dp_usb_start(&(struct dp_usb_ring){out, sizeof out}, &(struct dp_usb_ring){in, sizeof in});
    dp_usb_configured(PACKET);
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);
    GPid process;
    require(
        g_spawn_async(
            folder, values + 2, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CHILD_INHERITS_STDIN, NULL,
            NULL, &process, &error),
        error);
    g_child_watch_add(process, finish, loop);
    g_main_loop_run(loop);
    if (getenv("MOCK_PEAK") != NULL) write_peak(getenv("MOCK_PEAK"));
    return exit_status;
}
