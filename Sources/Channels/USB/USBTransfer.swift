import CLibUSB

/// One asynchronous transfer, of bulk data again and again, or of one request. Its connection frees it: while that is open, and never while
/// the kernel may write to its memory.
final class USBTransfer {
    /// How a transfer ended, as far as it matters here.
    enum Ending {
        case completed, cancelled, stalled, gone
        /// The device sent more than it may, or its answers are damaged.
        case failed
    }

    private let transfer: UnsafeMutablePointer<libusb_transfer>
    private let memory: UnsafeMutableBufferPointer<UInt8>
    /// Whether it was submitted and has not ended.
    fileprivate(set) var isPending = false

    /// Octets that fit.
    var capacity: Int { memory.count }

    /// Nil if there is no memory.
    convenience init?(_ handle: OpaquePointer, endpoint: USBInterface.Endpoint, capacity: Int) {
        self.init(
            handle, LIBUSB_TRANSFER_TYPE_BULK, endpoint: endpoint.address, capacity: capacity)
    }

    /// CLEAR_FEATURE(ENDPOINT_HALT). USB 2.0 §9.4.1: to an endpoint, no data.
    convenience init?(_ handle: OpaquePointer, clearingHaltOf endpoint: USBInterface.Endpoint) {
        let setup: [UInt8] = [0x02, 0x01, 0, 0, endpoint.address, 0, 0, 0]
        self.init(handle, LIBUSB_TRANSFER_TYPE_CONTROL, endpoint: 0, capacity: setup.count)
        _ = memory.update(fromContentsOf: setup)
    }

    private init?(
        _ handle: OpaquePointer, _ type: libusb_transfer_type, endpoint: UInt8, capacity: Int
    ) {
        guard let transfer = libusb_alloc_transfer(0) else { return nil }
        self.transfer = transfer
        memory = .allocate(capacity: capacity)
        memory.initialize(repeating: 0)
        transfer.pointee.dev_handle = handle
        transfer.pointee.endpoint = endpoint
        transfer.pointee.type = UInt8(type.rawValue)
        transfer.pointee.buffer = memory.baseAddress
        transfer.pointee.user_data = Unmanaged.passUnretained(self).toOpaque()
        // Deadlines are the caller's, who cancels.
        transfer.pointee.timeout = 0
        transfer.pointee.callback = { ended in
            guard let object = ended?.pointee.user_data else { return }
            Unmanaged<USBTransfer>.fromOpaque(object).takeUnretainedValue().isPending = false
        }
    }

    /// The last call.
    func free() {
        libusb_free_transfer(transfer)
        memory.deallocate()
    }

    /// The octets that moved. Only when it is not pending.
    var bytes: UnsafeBufferPointer<UInt8> {
        let count = min(max(0, Int(transfer.pointee.actual_length)), memory.count)
        return UnsafeBufferPointer(rebasing: memory[..<count])
    }

    var ending: Ending {
        switch transfer.pointee.status {
        case LIBUSB_TRANSFER_COMPLETED: .completed
        case LIBUSB_TRANSFER_CANCELLED, LIBUSB_TRANSFER_TIMED_OUT: .cancelled
        case LIBUSB_TRANSFER_STALL: .stalled
        case LIBUSB_TRANSFER_NO_DEVICE: .gone
        default: .failed
        }
    }

    /// Asks for up to `capacity` octets. Returns libusb's error, or 0.
    func submit() -> Int32 { submit(count: capacity) }

    /// Sends `bytes`, at most `capacity`. Where they fill the last packet, one without octets follows if
    /// `isLast`: only that ends a transfer then.
    func submit(_ bytes: some Collection<UInt8>, isLast: Bool) -> Int32 {
        _ = memory.update(fromContentsOf: bytes)
        transfer.pointee.flags = isLast ? UInt8(LIBUSB_TRANSFER_ADD_ZERO_PACKET.rawValue) : 0
        return submit(count: bytes.count)
    }

    private func submit(count: Int) -> Int32 {
        transfer.pointee.length = Int32(count)
        transfer.pointee.actual_length = 0
        let error = libusb_submit_transfer(transfer)
        isPending = error == 0
        return error
    }

    /// Asks for its end, which comes as an event like any other.
    func cancel() {
        if isPending { libusb_cancel_transfer(transfer) }
    }
}
