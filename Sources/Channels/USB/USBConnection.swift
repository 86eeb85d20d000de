import CLibUSB
import Provisioning

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// An interface that is claimed, and libusb's events for it. No thread, and no list of devices, of libusb's own.
final class USBConnection {
    let interface: USBInterface
    private var descriptor: Int32
    private var context: OpaquePointer?
    private var handle: OpaquePointer?
    private var transfers: [USBTransfer] = []
    private let events: [Poll.Entry]

    /// How long the kernel may take to give a cancelled transfer back.
    private static let cancelLimit = Duration.seconds(1)

    /// - Throws: `.channelUnavailable` if it can't be opened, with the udev rule where that would help;
    ///   `.channelBusy` if a process or a driver has it, naming it if it can be found.
    init(_ interface: USBInterface) throws(ProvisioningError) {
        self.interface = interface
        descriptor = open(interface.node, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.openFailure(interface, .last) }
        var context: OpaquePointer?
        var handle: OpaquePointer?
        _ = clibusb_disable_discovery(nil)
        var error = libusb_init(&context)
        if error == 0 { error = libusb_wrap_sys_device(context, Int(descriptor), &handle) }
        if error == 0 { error = libusb_claim_interface(handle, Int32(interface.number)) }
        guard error == 0 else {
            let failure = Self.claimFailure(interface, error)
            if handle != nil { libusb_close(handle) }
            if context != nil { libusb_exit(context) }
            closeDescriptor(descriptor)
            throw failure
        }
        self.context = context
        self.handle = handle
        events = Self.events(of: context)
    }

    deinit { close() }

    func makeTransfer(
        _ endpoint: USBInterface.Endpoint, capacity: Int
    ) throws(ProvisioningError) -> USBTransfer {
        guard let handle,
            let transfer = USBTransfer(handle, endpoint: endpoint, capacity: capacity)
        else { throw ProvisioningError(.internalFailure, "no memory for a USB transfer") }
        transfers.append(transfer)
        return transfer
    }

    /// Waits for something to end. False if nothing did in time.
    ///
    /// - Throws: `.interrupted`.
    func waitForEvents(
        until deadline: Deadline, _ interruption: Interruption?
    ) throws(ProvisioningError) -> Bool {
        let happened = try Poll.wait(for: events, until: deadline, interruption)
        guard happened.contains(where: \.isReady) else { return false }
        handleEvents()
        return true
    }

    /// Has the kernel give back what it has of `transfers`. What moved before is in them. False if it did not,
    /// within a second: they must be left alone then.
    func cancel(_ transfers: [USBTransfer]) -> Bool {
        for transfer in transfers { transfer.cancel() }
        let deadline = Deadline(within: Self.cancelLimit)
        while transfers.contains(where: \.isPending), !deadline.isPast {
            // Cleaning up is not interrupted.
            _ = try? waitForEvents(until: deadline, nil)
        }
        return !transfers.contains(where: \.isPending)
    }

    /// Ends a halt of the endpoint, on both sides. The device has five seconds, the kernel's limit. Returns
    /// libusb's error, or 0.
    func clearHalt(_ endpoint: USBInterface.Endpoint) -> Int32 {
        libusb_clear_halt(handle, endpoint.address)
    }

    static func text(of error: Int32) -> String {
        switch error {
        case LIBUSB_ERROR_NO_DEVICE.rawValue: "the device is gone"
        default: libusb_strerror(error).map { String(cString: $0) } ?? "error \(error)"
        }
    }

    /// Ends the transfers and gives the interface back. What the kernel keeps is never freed. Idempotent.
    func close() {
        guard let handle else { return }
        _ = cancel(transfers)
        for transfer in transfers {
            if transfer.isPending {
                _ = Unmanaged.passRetained(transfer)
            } else {
                transfer.free()
            }
        }
        transfers = []
        _ = libusb_release_interface(handle, Int32(interface.number))
        libusb_close(handle)
        libusb_exit(context)
        closeDescriptor(descriptor)
        self.handle = nil
        context = nil
        descriptor = -1
    }

    private func handleEvents() {
        var none = timeval()
        // What went wrong is seen in the transfers.
        _ = libusb_handle_events_timeout_completed(context, &none, nil)
    }

    /// libusb's descriptors stay the same while one device is open.
    private static func events(of context: OpaquePointer?) -> [Poll.Entry] {
        guard let list = libusb_get_pollfds(context) else { return [] }
        defer { libusb_free_pollfds(list) }
        var entries: [Poll.Entry] = []
        while let entry = list[entries.count] {
            entries.append(Poll.Entry(entry.pointee.fd, entry.pointee.events))
        }
        return entries
    }
}

extension USBConnection {
    private static func openFailure(
        _ interface: USBInterface, _ error: SystemError
    ) -> ProvisioningError {
        guard [EACCES, EPERM].contains(error.number) else {
            return ProvisioningError(
                .channelUnavailable, "\(interface): \(interface.node): \(error)",
                hint: "is the board plugged in and sound?")
        }
        return ProvisioningError(
            .channelUnavailable, "\(interface): you may not open \(interface.node): \(error)",
            hint: USBRules.hint(for: interface.device))
    }

    private static func claimFailure(
        _ interface: USBInterface, _ error: Int32
    ) -> ProvisioningError {
        guard error == LIBUSB_ERROR_BUSY.rawValue else {
            return ProvisioningError(
                .channelUnavailable, "\(interface): \(text(of: error))",
                hint: "is the board plugged in and sound?")
        }
        if let driver = interface.driver, driver != "usbfs" {
            return ProvisioningError(
                .channelBusy, "\(interface) is in use by the kernel's driver \(driver)",
                hint: "unload it: sudo modprobe -r \(driver)")
        }
        // This process has it open, too, and is not the one.
        let holder =
            PortHolder.findEavesdropper(interface.node).map { "\($0)" } ?? "another process"
        return ProvisioningError(
            .channelBusy, "\(interface) is in use by \(holder)", hint: "close it and try again")
    }
}
