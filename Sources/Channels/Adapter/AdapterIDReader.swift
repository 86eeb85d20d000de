import CBOR
public import Attestation
public import Provisioning

/// Has an adapter read the device ID without the firmware's help.
public struct AdapterIDReader: DeviceIDReader {
    private let session: AdapterSession

    public init(_ session: AdapterSession) { self.session = session }

    public func readDeviceID() throws(ProvisioningError) -> DeviceID {
        let text = try session.identify()
        guard text.utf8.count <= 128, let id = DeviceID(hexadecimal: text) else {
            // With the white space that is wrong about it.
            let start = String(reflecting: String(text.unicodeScalars.prefix(64)))
            let dots = text.unicodeScalars.count > 64 ? "…" : ""
            throw ProvisioningError(
                .adapterProtocol,
                "\(session.name) reads the device ID \(PlainText.sanitized(start.utf8))\(dots), "
                    + "not 1 to 64 bytes in hexadecimal",
                hint: "provision check \(session.name) shows what it does wrong")
        }
        return id
    }
}
