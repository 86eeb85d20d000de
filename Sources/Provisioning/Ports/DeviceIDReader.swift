public import Attestation

/// Reads the device ID out of band, without the firmware's help.
public protocol DeviceIDReader {
    func readDeviceID() throws(ProvisioningError) -> DeviceID
}

extension DeviceIDReader {
    /// - Parameter wanted: the only one that may be there; nil: any.
    /// - Throws: `.idMismatch` if another one is.
    public func readDeviceID(expecting wanted: DeviceID?) throws(ProvisioningError) -> DeviceID {
        let id = try readDeviceID()
        guard let wanted, wanted != id else { return id }
        throw .anotherDevice(wanted, id)
    }
}
