/// What the board says of itself, bounded.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { DP_MAXIMUM_ID_SIZE = 64, DP_MAXIMUM_NAME_SIZE = 32 };

size_t dp_identity_id(uint8_t id[DP_MAXIMUM_ID_SIZE]);
const uint8_t *dp_identity_board(size_t *length);
