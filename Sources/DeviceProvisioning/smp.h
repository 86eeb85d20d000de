/// SMP (mcumgr): messages, and the SMP console framing.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "cbor.h"

enum {
    /// Octets of a message, header included, in both directions.
    DP_MESSAGE_SIZE = 512,
    /// Octets of the SMP header: version and operation, flags, length, group, sequence, command.
    DP_SMP_HEADER_SIZE = 8,
    /// The most data octets in one message. A credential's first write is the largest message:
    /// 96 octets beside its data, with every number in its longest form.
    DP_CHUNK_SIZE = 384,
};

/// The user group of the contract; the host has the same setting.
#ifndef DP_SMP_GROUP
#define DP_SMP_GROUP 8392
#endif

/// The newest version of SMP that the device answers: 1 or 2.
#ifndef DP_SMP_VERSION
#define DP_SMP_VERSION 2
#endif

/// The one message that is received or answered.
extern uint8_t dp_message[DP_MESSAGE_SIZE];
/// Answers the request in `dp_message`, with `send`; clears it, and resets the device if it asks for that.
void dp_answer(size_t length, void (*send)(const uint8_t *message, size_t length));

/// Takes one byte of the channel; returns the length of the message that it completed in
/// `message` (`DP_MESSAGE_SIZE` octets), else 0. Whatever is not a frame with a good CRC is dropped.
size_t dp_frame_receive(uint8_t byte, uint8_t *message);
/// Forgets a frame that has begun.
void dp_frame_reset(void);
/// Writes `message` as frames of at most 127 octets.
void dp_frame_send(const uint8_t *message, size_t length);

/// Answers the request in `message` in place. Returns the answer's length, 0 for no answer.
/// `*reset` says that the device restarts once the answer is out.
size_t dp_smp_answer(uint8_t *message, size_t length, bool *reset);

/// Codes of group errors, contract version 1.
enum dp_error {
    DP_OK = 0,
    DP_MALFORMED = 1,
    DP_NO_SUCH_KEY = 2,
    DP_KEY_EXISTS = 3,
    DP_LOCKED = 4,
    DP_BAD_LENGTH_OR_OFFSET = 5,
    DP_HASH_MISMATCH = 6,
    DP_CRYPTO_FAILED = 7,
    DP_NO_ENTROPY = 8,
    DP_STORAGE_FULL = 9,
    DP_UNSUPPORTED = 10,
};

/// A command of the group: reads all of the request before it writes the answer, which takes the
/// request's place in the buffer.
typedef enum dp_error dp_command(const struct dp_request *request, struct dp_writer *answer);

dp_command dp_device_read;
dp_command dp_key_read;
dp_command dp_key_write;
dp_command dp_key_erase;
dp_command dp_evidence_read;
dp_command dp_csr_read;
dp_command dp_credential_write;
dp_command dp_credential_read;
dp_command dp_lock_write;
dp_command dp_secret_write;
