public import Attestation
public import Issuance
public import SMP

/// What a finished run knows about the device.
public struct Outcome {
    public let description: DeviceDescription
    public let registration: Registration
    public let confirmation: Confirmation
    /// Those of the plan's types, all of which the device holds now. It may hold others besides.
    public let credentials: [Credential]
    public let delivery: Delivery
    public let receipt: FlashReceipt?
    /// Requests that had to be sent again.
    public let retries: Int
    /// Still open, for the console.
    public let channel: any Channel
}
