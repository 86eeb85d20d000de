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
    /// libusb's, and behind them the interruption's.
    private let events: UnsafeMutableBufferPointer<pollfd>

    /// For a request without data. USB 2.0 §9.2.6.4 gives a device 50 ms; hubs and a busy bus have the rest.
    private let requestTimeout: Duration

    /// How long the kernel may take to give a cancelled transfer back. No time-out: that is up to no device, and
    /// nothing fails when it is over; what the kernel keeps is left to it.
    private static let cancelLimit = Duration.seconds(1)

    /// - Parameter requestTimeout: for the device to answer a request without data.
    /// - Throws: `.channelUnavailable` if it can't be opened, with the udev rule where that would help;
    ///   `.channelBusy` if a process or a driver has it, naming it if it can be found.
    init(_ interface: USBInterface, requestTimeout: Duration) throws(ProvisioningError) {
        self.interface = interface
        self.requestTimeout = requestTimeout
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

    deinit {
        close()
        events.deallocate()
    }

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
        // As `Poll.wait`, without its lists: this is once for each packet.
        let wish = events.count - 1
        events[wish].fd = interruption?.descriptor ?? -1
        repeat {
            let count = poll(events.baseAddress, nfds_t(events.count), deadline.pollMilliseconds)
            if events[wish].revents != 0 && count > 0 { throw .interruptedByUser }
            if count > 0 {
                handleEvents()
                return true
            }
            if count < 0 && errno != EINTR && errno != EAGAIN {
                throw ProvisioningError(.internalFailure, "poll failed: \(SystemError.last)")
            }
        } while !deadline.isPast
        return false
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

    /// Ends a halt of the endpoint, on both sides. As `libusb_clear_halt`, during which the kernel waits five
    /// seconds for the device, and nothing ends that wait. Returns libusb's error, or 0.
    ///
    /// - Throws: `.interrupted`.
    func clearHalt(
        _ endpoint: USBInterface.Endpoint, _ interruption: Interruption
    ) throws(ProvisioningError) -> Int32 {
        guard let handle, let request = USBTransfer(handle, clearingHaltOf: endpoint) else {
            return LIBUSB_ERROR_NO_MEM.rawValue
        }
        transfers.append(request)
        defer { give(back: request) }
        let error = request.submit()
        guard error == 0 else { return error }
        let deadline = Deadline(within: requestTimeout)
        while request.isPending, !deadline.isPast {
            _ = try waitForEvents(until: deadline, interruption)
        }
        guard !request.isPending else { return LIBUSB_ERROR_TIMEOUT.rawValue }
        switch request.ending {
        case .completed:
            let isReset = clibusb_reset_endpoint(descriptor, endpoint.address) == 0
            return isReset ? 0 : LIBUSB_ERROR_IO.rawValue
        case .gone: return LIBUSB_ERROR_NO_DEVICE.rawValue
        case .cancelled, .stalled, .failed: return LIBUSB_ERROR_PIPE.rawValue
        }
    }

    /// What the kernel keeps stays among those that `close` looks after.
    private func give(back transfer: USBTransfer) {
        guard cancel([transfer]) else { return }
        transfers.removeAll { $0 === transfer }
        transfer.free()
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
    private static func events(of context: OpaquePointer?) -> UnsafeMutableBufferPointer<pollfd> {
        let list = libusb_get_pollfds(context)
        defer { libusb_free_pollfds(list) }
        var entries: [pollfd] = []
        while let entry = list?[entries.count] {
            entries.append(
                pollfd(fd: entry.pointee.fd, events: entry.pointee.events, revents: 0))
        }
        entries.append(pollfd(fd: -1, events: Poll.readable, revents: 0))
        let table = UnsafeMutableBufferPointer<pollfd>.allocate(capacity: entries.count)
        _ = table.initialize(from: entries)
        return table
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
