// The device library as a process, on each way that it can be spoken to; its board is in memory, and
// lives as long as the process.
//
//     device console|raw           on standard input and output
//     device udp ADDRESS [PORT]    on a port of ADDRESS; prints its number
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device_provisioning.h"
#include "device_test_hal.h"

static _Noreturn void fail(const char *what) {
    perror(what);
    exit(1);
}

static void start_board(void) {
    uint8_t id[8];
    if (getentropy(id, sizeof id) != 0) fail("getentropy");
    test_board_reset();
    test_board_set_id(id, sizeof id);
    test_board_set_name("native");
    if (!dp_start()) fail("dp_start");
}

static void serve_stream(void (*receive)(uint8_t), bool pauses) {
    uint8_t bytes[512];
    for (;;) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        if (pauses && poll(&input, 1, 50) == 0) {
            dp_receive_pause();
            poll(&input, 1, -1);
        }
        ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) exit(0);
        for (ssize_t index = 0; index < count; index++) {
            size_t length;
            receive(bytes[index]);
            const uint8_t *answer = test_output_take(&length);
            for (size_t sent = 0; sent < length;) {
                ssize_t more = write(STDOUT_FILENO, answer + sent, length - sent);
                if (more < 0) exit(0);
                sent += (size_t)more;
            }
        }
    }
}

static void serve_datagrams(const char *address, const char *port) {
    struct addrinfo hints = {
        .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    struct addrinfo *found;
    if (getaddrinfo(address, port, &hints, &found) != 0) fail(address);
    int server = socket(found->ai_family, SOCK_DGRAM, 0);
    if (server < 0 || bind(server, found->ai_addr, found->ai_addrlen) != 0) fail("bind");
    struct sockaddr_storage own;
    socklen_t own_length = sizeof own;
    if (getsockname(server, (struct sockaddr *)&own, &own_length) != 0) fail("getsockname");
    printf("%u\n", ntohs(((struct sockaddr_in *)&own)->sin_port));
    fflush(stdout);
    for (;;) {
        static uint8_t bytes[65536];
        struct sockaddr_storage peer;
        socklen_t peer_length = sizeof peer;
        ssize_t count = recvfrom(
            server, bytes, sizeof bytes, 0, (struct sockaddr *)&peer, &peer_length);
        if (count < 0) continue;
        dp_receive_datagram(bytes, (size_t)count);
        size_t length;
        const uint8_t *answer = test_output_take(&length);
        if (length > 0)
            sendto(server, answer, length, 0, (const struct sockaddr *)&peer, peer_length);
    }
}

int main(int count, char **arguments) {
    start_board();
    const char *mode = count > 1 ? arguments[1] : "";
    if (strcmp(mode, "console") == 0) serve_stream(dp_receive, false);
    if (strcmp(mode, "raw") == 0) serve_stream(dp_receive_raw, true);
    if (strcmp(mode, "udp") == 0 && count > 2)
        serve_datagrams(arguments[2], count > 3 ? arguments[3] : "0");
    fprintf(stderr, "usage: device console | raw | udp ADDRESS [PORT]\n");
    return 2;
}
