#include "device_provisioning.h"
