# In your application's Makefile, behind Makefile.include, whose recipes it replaces:
#
#     include $(RIOTBASE)/Makefile.include
#     PROVISION_PLATFORM = mine
#     include provision.inc.mk
#
# then `make flash` builds, flashes, gives the device's key a certificate and attaches the console; `make flash-only`
# does without the build. How the board is flashed says its platform file.
PROVISION_PLATFORM ?= $(BOARD)
# More for `provision run`.
PROVISION_ARGUMENTS ?=

FLASHER = provision
FFLAGS = run --platform $(PROVISION_PLATFORM) $(if $(PORT),--port $(PORT)) --firmware $(ELFFILE) $(PROVISION_ARGUMENTS)
PROGRAMMER_FLASH = $(FLASHER) $(FFLAGS)
# Some programmers have a recipe of their own.
flash-recipe = $(PROGRAMMER_FLASH)
