#pragma once
#include "psa/crypto_types.h"
#include "psa/crypto_values.h"
