"""The real GDB server of pyOCD, and its real core of a Cortex-M, before a chip that is a stub.

The stub is what is behind the access port: 8 KiB of RAM, the registers that halt a core and fetch its
registers, and a firmware with RTT's rings that sends back, in capitals, whatever it is sent, while the core
runs.

Prints the port that it listens on. Each line on standard input is answered with "halted" or "running".
"""

import logging
import struct
import sys
import threading
import time

from pyocd.core.memory_interface import MemoryInterface
from pyocd.core.memory_map import MemoryMap, RamRegion
from pyocd.core.exceptions import TransferFaultError
from pyocd.core.session import Session
from pyocd.core.target import Target
from pyocd.coresight.cortex_m import CortexM
from pyocd.debug.context import DebugContext
from pyocd.gdbserver.gdbserver import GDBServer
from pyocd.utility.graph import GraphNode

BASE, LENGTH = 0x2000_0000, 0x2000
# Cortex-M4, r0p1.
CPUID = 0x410F_C241


class StubChip(MemoryInterface):
    """What an access port reaches."""

    BLOCK, UP, DOWN, RING = 0x100, 0x200, 0x300, 0x80

    def __init__(self):
        self.lock = threading.RLock()
        self.ram = bytearray(LENGTH)
        self.is_halted = False
        self.registers = {CortexM.CPUID: CPUID}
        block = struct.pack("<16sII", b"SEGGER RTT", 1, 1)
        for buffer in (self.UP, self.DOWN):
            block += struct.pack("<6I", 0, BASE + buffer, self.RING, 0, 0, 0)
        self.ram[self.BLOCK : self.BLOCK + len(block)] = block
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            with self.lock:
                if not self.is_halted:
                    self.echo()
            time.sleep(0.0005)

    def echo(self):
        up, down = self.BLOCK + 24, self.BLOCK + 48
        written, read = struct.unpack_from("<II", self.ram, down + 12)
        put, taken = struct.unpack_from("<II", self.ram, up + 12)
        while read != written and (put + 1) % self.RING != taken:
            self.ram[self.UP + put] = bytes([self.ram[self.DOWN + read]]).upper()[0]
            read, put = (read + 1) % self.RING, (put + 1) % self.RING
        struct.pack_into("<I", self.ram, down + 16, read)
        struct.pack_into("<I", self.ram, up + 12, put)

    # What pyOCD's core asks of an access port.

    address = None

    def set_cacheable(self):
        pass

    def write_memory(self, addr, data, transfer_size=32):
        if addr < 0xE000_0000:
            self.write_memory_block8(addr, data.to_bytes(transfer_size // 8, "little"))
            return
        with self.lock:
            if addr == CortexM.DHCSR:
                self.is_halted = bool(data & CortexM.C_HALT)
            elif addr == CortexM.DFSR:
                self.registers[addr] = self.registers.get(addr, 0) & ~data
            else:
                self.registers[addr] = data

    def read_memory(self, addr, transfer_size=32, now=True):
        def value():
            if addr < 0xE000_0000:
                return int.from_bytes(self.read_memory_block8(addr, transfer_size // 8), "little")
            if addr == CortexM.DHCSR:
                halted = CortexM.S_HALT if self.is_halted else 0
                return CortexM.C_DEBUGEN | CortexM.S_REGRDY | halted
            if addr == CortexM.DCRDR:
                # Where the core stands: where RAM is.
                return BASE
            return self.registers.get(addr, 0)

        with self.lock:
            result = value()
        return result if now else lambda: result

    def write_memory_block8(self, addr, data):
        with self.lock:
            start = self.offset(addr, len(data))
            self.ram[start : start + len(data)] = bytes(data)

    def read_memory_block8(self, addr, size):
        with self.lock:
            start = self.offset(addr, size)
            return list(self.ram[start : start + size])

    def write_memory_block32(self, addr, data):
        self.write_memory_block8(addr, struct.pack(f"<{len(data)}I", *data))

    def read_memory_block32(self, addr, size):
        return list(struct.unpack(f"<{size}I", bytes(self.read_memory_block8(addr, size * 4))))

    def offset(self, addr, size):
        if not BASE <= addr <= BASE + LENGTH - size:
            raise TransferFaultError(fault_address=addr)
        return addr - BASE


class StubBoard(GraphNode):
    """The nodes above a core."""

    trace_enabled = False
    debug_sequence_delegate = None

    def __init__(self, session, chip):
        super().__init__()
        self.session = session
        self.target = self
        self.selected_core = 0
        self.aps = {}
        memory = MemoryMap(RamRegion(start=BASE, length=LENGTH))
        core = CortexM(session, chip, memory)
        self.cores = {0: core}
        self.add_child(core)
        core.init()
        core.set_target_context(DebugContext(core))

    def get_target_context(self, core=None):
        return self.cores[core].get_target_context()

    def call_delegate(self, name, **arguments):
        return None

    def add_target_command_groups(self, command_set):
        pass

    def has_debug_sequence(self, name, pname=None):
        return False

    def flush(self):
        pass


class StubSession(Session):
    """Without a probe there is no board, and nothing to open: here is one."""

    is_open = True

    @property
    def board(self):
        return self._board

    @board.setter
    def board(self, board):
        self._board = board


def main():
    logging.basicConfig(level=logging.WARNING)
    # A console would listen on a port of its own, the same for all.
    options = {"gdbserver_port": 0, "persist": True, "no_config": True, "stdio_mode": "off"}
    session = StubSession(None, options=options)
    chip = StubChip()
    session.board = StubBoard(session, chip)
    server = GDBServer(session, core=0)
    server.start()
    print(server.port, flush=True)
    for _ in sys.stdin:
        state = session.board.cores[0].get_state()
        print("halted" if state == Target.State.HALTED else "running", flush=True)


if __name__ == "__main__":
    main()
