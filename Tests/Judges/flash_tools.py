"""What the real esptool and pyOCD say, without a chip.

flash_tools.py parse PROGRAM ARGUMENT...   status 0 if the tool takes this command line
flash_tools.py pyocd-words ADDRESS HEX     what `read32` prints of these bytes of memory
flash_tools.py esptool-mac HEX KIND        what `read-mac` prints of this base MAC; KIND: 48 or 64 bits
"""

import sys


def parse(program, arguments):
    if program == "pyocd":
        from pyocd.__main__ import PyOCDTool

        PyOCDTool().build_parser().parse_args(arguments)
    elif program == "esptool":
        import esptool

        group = esptool.cli
        # What its own main() sets: the chip that others have connected to.
        group._esp = None
        with group.make_context("esptool", list(arguments)) as context:
            rest = [*context._protected_args, *context.args]
            name, command, rest = group.resolve_command(context, rest)
            command.make_context(name, rest, parent=context).close()
    else:
        sys.exit(f"no judge of {program}")


def pyocd_words(address, data):
    from pyocd.utility.conversion import byte_list_to_nbit_le_list
    from pyocd.utility.hex import dump_hex_data

    words = byte_list_to_nbit_le_list(list(bytes.fromhex(data)), 32)
    dump_hex_data(words, start_address=int(address, 0), width=32)


def esptool_mac(data, kind):
    from esptool import cmds

    base = tuple(bytes.fromhex(data))

    class Chip:
        CHIP_NAME = "a chip"

        def read_mac(self, mac_type="BASE_MAC"):
            if mac_type == "BASE_MAC":
                return base
            if kind == "48":
                return None
            return (0xFF, 0xFE) if mac_type == "MAC_EXT" else base[:3] + (0xFF, 0xFE) + base[3:]

    cmds.read_mac(Chip())


if __name__ == "__main__":
    mode, *rest = sys.argv[1:]
    {
        "parse": lambda: parse(rest[0], rest[1:]),
        "pyocd-words": lambda: pyocd_words(*rest),
        "esptool-mac": lambda: esptool_mac(*rest),
    }[mode]()
