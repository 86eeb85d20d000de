/// The device's part of flash, provision, attach: SMP group 8392 on any byte channel.
///
/// Portable C11 over the PSA Crypto API. No heap and no stdio of its own, not re-entrant: call all
/// functions from one thread, never from an interrupt handler. The board supplies the
/// functions of device_provisioning_hal.h.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Recovers the record store after whatever ended the last run, starts PSA Crypto, and makes the
/// default key (kid 1, P-256) if the device has no key.
///
/// False if storage, crypto or entropy failed. The device may still call `dp_receive` then: it
/// answers, and names the failure to the host.
bool dp_start(void);

/// Takes one byte from the host. Answers go out through `dp_hal_write`. Bytes that are not part of
/// an SMP console frame are ignored, so a shell may share the channel.
void dp_receive(uint8_t byte);

/// As `dp_receive`, on a channel without the console framing that carries SMP messages and nothing
/// else: half the octets, no checksum, no log text. Answers go out through `dp_hal_write` in the same
/// way. A device uses one of the three on a channel; which, its host is told.
void dp_receive_raw(uint8_t byte);

/// What has come of a message goes no further: to be called where a channel of `dp_receive_raw` was
/// silent for 50 ms or more. Without it a damaged request may swallow the next few.
void dp_receive_pause(void);

/// Takes one datagram from the host, a message, as over UDP. The answer goes out in one call of
/// `dp_hal_write`, before this returns: a datagram to whom this one came from.
void dp_receive_datagram(const uint8_t *bytes, size_t length);

/// Writes `PROVISION-EVIDENCE-1 ` and the base64url of an Evidence as one log line, for devices
/// that the host cannot write to. Its nonce is this boot's seed, 32 octets of entropy: all reports from
/// one `dp_start` to the next have the same. Repeat it now and then: a host may come late, or get a line
/// that other text has broken.
///
/// False, and nothing written, if there is no key or no entropy.
bool dp_report(void);

#ifdef __cplusplus
}
#endif
