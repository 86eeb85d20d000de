/// The debug probes that hang on this machine's USB.
public enum DebugProbes {
    /// Vendors and products that probe-rs and OpenOCD know as probes; CMSIS-DAP says it by its name.
    private static let known: [(vendorID: UInt16, products: ClosedRange<UInt16>)] = [
        (0x1366, 0x0101...0x10FF),  // SEGGER J-Link
        (0x0483, 0x3744...0x3757),  // ST-Link
        (0x1D50, 0x6018...0x6018),  // Black Magic
        (0x303A, 0x1001...0x1002),  // ESP32's built-in JTAG
    ]

    /// CMSIS-DAP, "Configuration": the product string contains this.
    private static let marker = "CMSIS-DAP"

    /// Sorted by USB path.
    ///
    /// - Parameter system: where sysfs is mounted.
    public static func list(system: String = "/sys") -> [USBIdentity] {
        USBDevices.list(system: system).filter(isProbe)
    }

    /// Whether the device is one, as far as its numbers and its name tell.
    public static func isProbe(_ identity: USBIdentity) -> Bool {
        identity.product?.contains(marker) == true
            || known.contains {
                $0.vendorID == identity.vendorID && $0.products.contains(identity.productID)
            }
    }
}
