import Channels
import Foundation
import Platforms
import Testing

/// Where each family's chips have their unique ID, written down a second time: from the manufacturers' headers
/// and the firmware that reads it, not from the files of `platforms/`.
@Suite struct DeviceIDTableTests {
    private enum Place {
        /// Of the first of so many bytes, which are told in the order of their addresses.
        case at(UInt64, Int)
        /// Words that lie apart.
        case words([UInt64])
        /// Two words, of which so many bytes are told, the last one first.
        case reversed(UInt64, UInt64, Int)
        /// So many bytes, which only code on the chip can read.
        case firmware(Int)
    }

    private static let families: [String: Place] = [
        // FICR.DEVICEID. nrfx, bsp/stable/mdk.
        "nrf51": .at(0x1000_0060, 8), "nrf52": .at(0x1000_0060, 8), "nrf53": .at(0x00FF_0204, 8),
        "nrf53-net": .at(0x01FF_0204, 8), "nrf91": .at(0x00FF_0204, 8),
        "nrf54l": .at(0x00FF_C304, 8),
        // UID_BASE. ST's CMSIS headers.
        "stm32c0": .at(0x1FFF_7550, 12), "stm32f0": .at(0x1FFF_F7AC, 12),
        "stm32f1": .at(0x1FFF_F7E8, 12), "stm32f2": .at(0x1FFF_7A10, 12),
        "stm32f3": .at(0x1FFF_F7AC, 12), "stm32f4": .at(0x1FFF_7A10, 12),
        "stm32f72": .at(0x1FF0_7A10, 12), "stm32f74": .at(0x1FF0_F420, 12),
        "stm32g0": .at(0x1FFF_7590, 12), "stm32g4": .at(0x1FFF_7590, 12),
        "stm32h5": .at(0x08FF_F800, 12), "stm32h72": .at(0x1FF1_E800, 12),
        "stm32h7a3": .at(0x08FF_F800, 12), "stm32h7rs": .at(0x08FF_F800, 12),
        "stm32l4": .at(0x1FFF_7590, 12), "stm32l5": .at(0x0BFA_0590, 12),
        "stm32mp15": .at(0x5C00_5234, 12), "stm32n6": .at(0x4600_9014, 12),
        "stm32u0-small": .at(0x1FFF_3E50, 12), "stm32u0": .at(0x1FFF_6E50, 12),
        "stm32u3": .at(0x0BFA_0700, 12), "stm32u5": .at(0x0BFA_0700, 12),
        "stm32wb": .at(0x1FFF_7590, 12), "stm32wl": .at(0x1FFF_7590, 12),
        "stm32wba2": .at(0x0BF8_D700, 12), "stm32wba5": .at(0x0BF9_0700, 12),
        "stm32wba6": .at(0x0BFA_0700, 12),
        // With gaps: +0, +4, +0x14. embassy-rs/stm32-data, registers/uid_l0.yaml.
        "stm32l0": .words([0x1FF8_0050, 0x1FF8_0054, 0x1FF8_0064]),
        "stm32l1-small": .words([0x1FF8_0050, 0x1FF8_0054, 0x1FF8_0064]),
        "stm32l1": .words([0x1FF8_00D0, 0x1FF8_00D4, 0x1FF8_00E4]),
        // pico-sdk: hardware_flash/flash.c; rp2350 otp_data.h, pico_unique_id.
        "rp2040": .firmware(8), "rp2350": .reversed(0x4013_0000, 0x4013_0004, 8),
        // MAC_EFUSE_REG, and the word behind it. esptool's targets.
        "esp32": .reversed(0x3FF5_A004, 0x3FF5_A008, 6),
        "esp32s2": .reversed(0x3F41_A044, 0x3F41_A048, 6),
        "esp32s3": .reversed(0x6000_7044, 0x6000_7048, 6),
        "esp32c2": .reversed(0x6000_8840, 0x6000_8844, 6),
        "esp32c3": .reversed(0x6000_8844, 0x6000_8848, 6),
        "esp32c5": .reversed(0x600B_4844, 0x600B_4848, 6),
        "esp32c61": .reversed(0x600B_4844, 0x600B_4848, 6),
        "esp32c6": .reversed(0x600B_0844, 0x600B_0848, 6),
        "esp32h2": .reversed(0x600B_0844, 0x600B_0848, 6),
        "esp32p4": .reversed(0x5012_D044, 0x5012_D048, 6),
        // RIOT, cpu/sam0_common/periph/cpuid.c; Black Magic, samd.c.
        "samd21": .words([0x0080_A00C, 0x0080_A040, 0x0080_A044, 0x0080_A048]),
        "samd51": .words([0x0080_61FC, 0x0080_6010, 0x0080_6014, 0x0080_6018]),
        // Black Magic, efm32.c; Silicon Labs' device headers.
        "efm32-series0": .at(0x0FE0_81F0, 8), "efm32-series1": .at(0x0FE0_81F0, 8),
        "efr32-series2": .at(0x0FE0_8048, 8),
        // ArduinoUniqueID; qmk, platforms/avr/hardware_id.c; ATmega328PB and ATmega4809 data sheets.
        "atmega": .firmware(9), "atmega-pb": .firmware(10), "megaavr0": .firmware(10),
    ]

    /// Boards without a family: what stands in QEMU's factory page, and what the firmware makes up.
    private static let others = [
        "microbit-qemu", "microbit-qemu-rtt", "mps2-an386-qemu", "mps2-an386-qemu-rtt", "native",
    ]

    private func range(_ address: UInt64, _ length: Int) throws -> AddressRange {
        try #require(AddressRange(address: address, length: length))
    }

    @Test func everyFamilyIsInTheTable() {
        let shipped = ShippedPlatformsTests.names(in: "\(ShippedPlatformsTests.folder)/families")
        #expect(shipped == Self.families.keys.sorted())
        #expect(ShippedPlatformsTests.names.count >= 50 + Self.others.count)
    }

    @Test(arguments: ShippedPlatformsTests.names) func readsItWhereTheChipHasIt(
        _ name: String
    ) throws {
        let platform = try PlatformCatalogue().platform(named: name)
        guard let family = platform.family else {
            #expect(Self.others.contains(name), "\(name) has no family")
            return
        }
        #expect(!family.source.isEmpty)
        let location = platform.probedID?.location
        switch try #require(Self.families[family.name]) {
        case .at(let address, let length):
            #expect(location?.regions == [try range(address, length)])
            #expect(location?.length == length)
            #expect(location?.order == .memory)
        case .words(let words):
            #expect(location == DeviceIDLocation(words: words))
        case .reversed(let low, let high, let length):
            #expect(
                location == DeviceIDLocation(words: [low, high], length: length, order: .reversed))
        case .firmware(let length):
            #expect(platform.identification == .firmware(length: length))
        }
        // Some answer nothing else: STM32H5 faults.
        if let location { #expect(location.width == .word) }
    }

    /// Where the words lie apart, they are read one region after the other.
    @Test func gapsAreLeftOut() throws {
        let platform = try PlatformCatalogue().platform(named: "nucleo-l073rz")
        #expect(
            platform.probedID?.location?.regions == [
                try range(0x1FF8_0050, 8), try range(0x1FF8_0064, 4),
            ])
    }

    /// The order that people write a MAC address in. esptool: pack(">II", high, low)[2:].
    @Test func ordersOfBytes() throws {
        let mac = try #require(
            PlatformCatalogue().platform(named: "esp32-c3-devkitm-1").probedID?.location)
        #expect(
            mac.id(from: [0x22, 0x11, 0x00, 0xA1, 0xDF, 0x7C, 0xAA, 0xBB])
                == [0x7C, 0xDF, 0xA1, 0x00, 0x11, 0x22])
        let words = try #require(
            DeviceIDLocation(words: [0x100, 0x104], order: .bigEndianWords))
        #expect(words.id(from: [1, 2, 3, 4, 5, 6, 7, 8]) == [4, 3, 2, 1, 8, 7, 6, 5])
    }

    private static let tools = [
        "probe-rs", "openocd", "pyocd", "esptool", "espflash", "picotool", "avrdude", "dfu-util",
        "st-flash", "west", "nrfutil",
    ]

    @Test func everyToolFlashesABoard() throws {
        var programs: Set<String> = []
        var hasLoader = false
        for name in ShippedPlatformsTests.names {
            switch try PlatformCatalogue().platform(named: name).flash {
            case .gdb: hasLoader = true
            case .command(let commands), .monitor(let commands, _):
                programs.insert(commands.flash.arguments[0])
            case .adapter, .none: break
            }
        }
        #expect(hasLoader)
        #expect(programs == Set(Self.tools))
    }
}
