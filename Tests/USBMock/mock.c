// A USB device in umockdev's sysfs, for one program: mock DEVICES PROGRAM ARGUMENT..., under umockdev-wrapper. What
// libusb asks of /dev/bus/usb/001/002 is answered by the device library's bulk rings. The kernel's part is imitated, and
// the guest's tests have the real one. MOCK_FAULT has it misbehave:
//   stall:N     halts the IN endpoint before its packet N
//   stalls:N    and again whenever the host cleared it
//   gone:N      leaves before packet N
//   busy        another program has the interface
//   gone-open   leaves when it is opened
#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <umockdev.h>

#include "board.h"
#include "device_provisioning.h"
#include "device_provisioning_hal.h"
#include "device_provisioning_usb.h"

enum { PACKET = 512 };

struct urb {
    UMockdevIoctlData *data;
};

static GQueue incoming = G_QUEUE_INIT, ended = G_QUEUE_INIT;
static const char *fault = "";
static unsigned long packets;
static gboolean is_halted, was_halted, is_gone;

static gboolean is_fault(const char *name) {
    const size_t length = strlen(name);
    return strncmp(fault, name, length) == 0 && fault[length] == ':' &&
           packets >= strtoul(fault + length + 1, NULL, 10);
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

/// Gives the host what the device has, as far as it asks.
static void send_packets(void) {
    uint8_t packet[PACKET];
    while (!g_queue_is_empty(&incoming)) {
        if (is_fault("gone")) is_gone = TRUE;
        if (is_gone) return;
        if ((is_fault("stall") && !was_halted) || is_fault("stalls")) is_halted = was_halted = TRUE;
        if (is_halted) {
            end(g_queue_pop_head(&incoming), -EPIPE, 0);
            return;
        }
        const int32_t length = dp_usb_packet(packet);
        if (length < 0) return;
        dp_usb_sent();
        packets++;
        struct urb *urb = g_queue_pop_head(&incoming);
        if (length > 0) umockdev_ioctl_data_update(buffer(urb->data), 0, packet, length);
        end(urb, 0, length);
    }
}

static void take(UMockdevIoctlData *data, int length) {
    guint8 *bytes;
    int count;
    if (length > 0) umockdev_ioctl_data_retrieve(buffer(data), &bytes, &count);
    for (int done = 0; done < length;) {
        const int part = length - done < PACKET ? length - done : PACKET;
        dp_usb_received(bytes + done, (size_t)part);
        for (int32_t byte; (byte = dp_usb_read()) >= 0;) dp_receive((uint8_t)byte);
        done += part;
    }
}

static int submit(UMockdevIoctlData *argument) {
    struct urb *urb = g_new0(struct urb, 1);
    urb->data = umockdev_ioctl_data_resolve(argument, 0, sizeof(struct usbdevfs_urb), NULL);
    const struct usbdevfs_urb request = content(urb->data);
    if (request.type != USBDEVFS_URB_TYPE_BULK) {
        end(urb, -EPIPE, 0);
    } else if (request.endpoint & 0x80) {
        g_queue_push_tail(&incoming, urb);
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
    case USBDEVFS_CLEAR_HALT: is_halted = FALSE; break;
    case USBDEVFS_RELEASEINTERFACE: break;
    case USBDEVFS_SUBMITURB & 0xffffffff: result = submit(argument); break;
    case USBDEVFS_DISCARDURB: {
        guint8 *address;
        int length;
        umockdev_ioctl_data_retrieve(argument, &address, &length);
        GList *found = g_queue_find_custom(&incoming, address, has_address);
        if (found == NULL) {
            result = -1, error = EINVAL;
        } else {
            struct urb *urb = found->data;
            g_queue_delete_link(&incoming, found);
            end(urb, -ENOENT, 0);
        }
        break;
    }
    case USBDEVFS_REAPURB & 0xffffffff:
    case USBDEVFS_REAPURBNDELAY & 0xffffffff: {
        struct urb *urb = g_queue_pop_head(&ended);
        if (urb == NULL) {
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

static void require(gboolean holds, GError *error) {
    if (holds) return;
    g_printerr("mock: %s\n", error == NULL ? "failed" : error->message);
    exit(99);
}

int main(int count, char **values) {
    if (count < 3) return 2;
    if (getenv("MOCK_FAULT") != NULL) fault = getenv("MOCK_FAULT");
    GError *error = NULL;
    UMockdevTestbed *testbed = umockdev_testbed_new();
    require(umockdev_testbed_add_from_file(testbed, values[1], &error), error);
    UMockdevIoctlBase *handler = umockdev_ioctl_base_new();
    g_signal_connect(handler, "handle-ioctl", G_CALLBACK(handle), NULL);
    require(umockdev_testbed_attach_ioctl(testbed, "/dev/bus/usb/001/002", handler, &error), error);
    char *folder = g_get_current_dir();
    board_start();
    require(dp_start(), NULL);
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
    return exit_status;
}
