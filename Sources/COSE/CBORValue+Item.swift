package import CBOR

extension CBORValue {
    /// The one item that fills `bytes`, with the codec's error as this layer's.
    package static func decodeItem(_ bytes: [UInt8], form: CBORForm) throws(COSEError) -> CBORValue
    {
        do throws(CBORError) {
            return try decode(bytes, form: form)
        } catch {
            throw .encoding(error)
        }
    }
}
