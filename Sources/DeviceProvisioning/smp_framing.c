// The SMP console framing: lines of marker, base64 and LF; the base64 of all lines is a length
// (message and CRC), the message, and CRC-16/XMODEM of the message.
#include "device_provisioning_hal.h"
#include "smp.h"

enum { FIRST_0 = 0x06, FIRST_1 = 0x09, MORE_0 = 0x04, MORE_1 = 0x14 };
enum { LENGTH_SIZE = 2, CRC_SIZE = 2 };
/// Octets in a line before base64. Zephyr's lines have at most 127 octets: 2 of marker, 124, LF.
enum { LINE_PAYLOAD = 93, LINE_SIZE = 127 };

static struct {
    enum { OUTSIDE, MARKER_FIRST, MARKER_MORE, INSIDE } state;
    bool open;       // the first line arrived, and no line was bad since
    bool padded;     // this line's base64 has ended
    uint8_t digits;  // base64 digits of an unfinished group of four
    uint32_t group;
    uint16_t received;  // octets since the length field's first
    uint16_t expected;  // the length field
    uint16_t crc;       // over message and CRC: 0 when both are good
} frame;

static uint16_t crc16(uint16_t crc, uint8_t byte) {
    crc ^= (uint16_t)(byte << 8);
    for (int bit = 0; bit < 8; bit++)
        crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    return crc;
}

static int digit_value(uint8_t digit) {
    if (digit >= 'A' && digit <= 'Z') return digit - 'A';
    if (digit >= 'a' && digit <= 'z') return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9') return digit - '0' + 52;
    return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

static void fail(void) {
    frame.state = OUTSIDE;
    frame.open = false;
}

static void take_octet(uint8_t octet, uint8_t *message) {
    if (frame.received < LENGTH_SIZE) {
        frame.expected = (uint16_t)(frame.expected << 8 | octet);
        frame.received++;
        return;
    }
    size_t offset = frame.received - LENGTH_SIZE;
    if (offset >= frame.expected || offset >= DP_MESSAGE_SIZE + CRC_SIZE) {
        fail();
        return;
    }
    if (offset < DP_MESSAGE_SIZE) message[offset] = octet;
    frame.crc = crc16(frame.crc, octet);
    frame.received++;
}

static void take_digit(uint8_t digit, uint8_t *message) {
    int value = digit_value(digit);
    if (digit == '=' && frame.digits >= 2) {
        frame.padded = true;
        value = 0;
    } else if (value < 0 || frame.padded) {
        fail();
        return;
    }
    frame.group = frame.group << 6 | (uint32_t)value;
    // The octets that this digit completes; padding completes none.
    static const uint8_t shifts[4] = {0, 4, 2, 0};
    if (frame.digits > 0 && !frame.padded)
        take_octet((uint8_t)(frame.group >> shifts[frame.digits]), message);
    frame.digits = (frame.digits + 1) & 3;
}

static size_t end_line(void) {
    frame.state = OUTSIDE;
    if (!frame.open || frame.digits != 0) {
        fail();
        return 0;
    }
    if (frame.received < LENGTH_SIZE || frame.received < frame.expected + LENGTH_SIZE) return 0;
    frame.open = false;
    // A message that was cut off at the buffer's end never gets here: take_octet failed it.
    return frame.crc == 0 && frame.expected > CRC_SIZE ? (size_t)(frame.expected - CRC_SIZE) : 0;
}

static void begin_line(bool first) {
    if (first) {
        frame.open = true;
        frame.received = frame.expected = frame.crc = 0;
    }
    frame.state = frame.open ? INSIDE : OUTSIDE;
    frame.digits = 0;
    frame.padded = false;
}

size_t dp_frame_receive(uint8_t byte, uint8_t *message) {
    if (frame.state == MARKER_FIRST && byte == FIRST_1) {
        begin_line(true);
    } else if (frame.state == MARKER_MORE && byte == MORE_1) {
        begin_line(false);
    } else if (byte == FIRST_0 || byte == MORE_0) {
        // Neither is base64: a marker in mid-line means that the line's end was lost.
        if (frame.state == INSIDE) frame.open = false;
        frame.state = byte == FIRST_0 ? MARKER_FIRST : MARKER_MORE;
    } else if (frame.state != INSIDE) {
        frame.state = OUTSIDE;
    } else if (byte == '\n') {
        return end_line();
    } else if (byte != '\r') {
        take_digit(byte, message);
    }
    return 0;
}

void dp_frame_reset(void) { fail(); }

static uint8_t octet_at(const uint8_t *message, size_t length, uint16_t crc, size_t index) {
    if (index == 0) return (uint8_t)((length + CRC_SIZE) >> 8);
    if (index == 1) return (uint8_t)(length + CRC_SIZE);
    index -= LENGTH_SIZE;
    if (index < length) return message[index];
    return (uint8_t)(index == length ? crc >> 8 : crc);
}

void dp_frame_send(const uint8_t *message, size_t length) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t line[LINE_SIZE];
    uint16_t crc = 0;
    size_t total = length + LENGTH_SIZE + CRC_SIZE;
    for (size_t index = 0; index < length; index++) crc = crc16(crc, message[index]);
    for (size_t start = 0; start < total; start += LINE_PAYLOAD) {
        size_t end = total - start > LINE_PAYLOAD ? start + LINE_PAYLOAD : total;
        size_t used = 0;
        line[used++] = start ? MORE_0 : FIRST_0;
        line[used++] = start ? MORE_1 : FIRST_1;
        for (size_t index = start; index < end; index += 3) {
            size_t count = end - index < 3 ? end - index : 3;
            uint32_t group = 0;
            for (size_t octet = 0; octet < 3; octet++)
                group = group << 8
                    | (octet < count ? octet_at(message, length, crc, index + octet) : 0);
            line[used++] = (uint8_t)digits[group >> 18];
            line[used++] = (uint8_t)digits[group >> 12 & 63];
            line[used++] = (uint8_t)(count > 1 ? digits[group >> 6 & 63] : '=');
            line[used++] = (uint8_t)(count > 2 ? digits[group & 63] : '=');
        }
        line[used++] = '\n';
        dp_hal_write(line, used);
    }
}
