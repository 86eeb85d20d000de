/// A byte channel over two USB bulk endpoints of a vendor interface: what lies between a board's USB stack,
/// which moves packets, and the library, which takes and gives octets.
///
/// Two sides, each of which only ever runs once at a time: the stack's (an interrupt handler, or its thread)
/// and the firmware's. Neither waits for the other, and nothing is locked.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Octets that wait: the board's memory. `size` is a power of two, and at least a packet of the endpoint's
/// largest size; less holds nothing.
struct dp_usb_ring {
    uint8_t *bytes;
    uint32_t size;
};

/// Before the stack starts. `out` is from the host, `in` to it, as USB names directions.
void dp_usb_start(const struct dp_usb_ring *out, const struct dp_usb_ring *in);

// MARK: The stack's side

/// At SET_CONFIGURATION, and at SET_INTERFACE: both endpoints are new, and what waits was another host
/// session's. `packet_size` is wMaxPacketSize of the speed that was agreed on: 64, or 512.
void dp_usb_configured(uint32_t packet_size);

/// At a bus reset, a suspend, and when the cable is gone: nobody reads, and what is written is dropped.
void dp_usb_disconnected(void);

/// Whether the largest packet fits. While it does not, leave the OUT endpoint unarmed: the host waits.
bool dp_usb_has_room(void);

/// A packet of the OUT endpoint's. False if it did not fit, and then none of it is kept. One without octets
/// only ended a transfer.
bool dp_usb_received(const uint8_t *bytes, size_t length);

/// The packet that the IN endpoint sends next, at most `dp_usb_configured`'s size, into `packet`. Returns its
/// length, or -1: there is none. The same again, until `dp_usb_sent`.
///
/// Length 0 is a packet, too: it ends a transfer whose last packet was a full one, which the host would
/// otherwise wait to see continued.
int32_t dp_usb_packet(uint8_t *packet);

/// The host has that packet.
void dp_usb_sent(void);

// MARK: The firmware's side

/// Returns how many octets the ring took: all, or as many as fit. Without a host it takes all, and drops
/// them.
size_t dp_usb_write(const uint8_t *bytes, size_t length);

/// The next octet from the host, or -1. Never waits.
int32_t dp_usb_read(void);

/// Whether a host has configured the device.
bool dp_usb_is_configured(void);

#ifdef __cplusplus
}
#endif
