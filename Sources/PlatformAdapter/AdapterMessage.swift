import Foundation

/// What one line says, from either end. Keys that nobody knows are ignored; one of a wrong type makes the
/// line malformed.
public struct AdapterMessage: Decodable, Sendable {
    public var id: Int?
    /// The name of a request.
    public var request: String?

    // An answer
    public var ok: Bool?
    public var error: String?
    public var reason: String?
    public var hint: String?

    // The device's channel
    /// Base64, RFC 4648 §4, with padding.
    public var data: String?
    /// Why the device is there no more.
    public var gone: String?

    // hello
    public var versions: [Int]?
    public var version: Int?
    public var can: [String]?
    public var platform: AdapterValue?
    public var simulated: String?
    public var port: String?
    public var probe: String?
    public var probeSerial: String?
    public var usbSerial: String?

    // flash, identify, open
    public var image: String?
    public var erase: Bool?
    public var progress: Int?
    public var of: Int?
    public var bytes: Int?
    public var verified: Bool?
    public var device: String?
    public var flashed: Bool?

    private enum CodingKeys: String, CodingKey {
        case id
        case request = "do"
        case ok, error, reason, hint, data, gone, versions, version, can, platform, simulated, port
        case probe
        case probeSerial = "probe-serial"
        case usbSerial = "usb-serial"
        case image, erase, progress, of, bytes, verified, device, flashed

        /// For messages.
        var type: String {
            switch self {
            case .id, .version, .progress, .of, .bytes: "an integer"
            case .ok, .erase, .verified, .flashed: "true or false"
            case .versions: "a list of integers"
            case .can: "a list of strings"
            case .platform: "an object"
            case .request, .error, .reason, .hint, .data, .gone, .simulated, .port, .probe,
                .probeSerial, .usbSerial, .image, .device:
                "a string"
            }
        }
    }

    /// Why a line is no message.
    public enum Fault: Error, Sendable, Equatable, CustomStringConvertible {
        case notUTF8, tooDeep, notAnObject
        /// A key, and what its value had to be.
        case wrongType(String, not: String)

        public var description: String {
            switch self {
            case .notUTF8: "not UTF-8"
            case .tooDeep: "nested deeper than \(AdapterProtocol.maximumDepth) levels"
            case .notAnObject: "not an object of JSON"
            case .wrongType(let key, let type): "\"\(key)\" is not \(type)"
            }
        }
    }

    /// - Parameter line: without its end.
    public init(parsing line: [UInt8]) throws(Fault) {
        guard String(validating: line, as: UTF8.self) != nil else { throw .notUTF8 }
        guard Self.depth(of: line) <= AdapterProtocol.maximumDepth else { throw .tooDeep }
        do {
            self = try JSONDecoder().decode(AdapterMessage.self, from: Data(line))
        } catch DecodingError.typeMismatch(_, let context) {
            throw Self.wrongType(context)
        } catch DecodingError.valueNotFound(_, let context) {
            throw Self.wrongType(context)
        } catch {
            throw .notAnObject
        }
    }

    private static func wrongType(_ context: DecodingError.Context) -> Fault {
        guard let name = context.codingPath.first?.stringValue,
            let key = CodingKeys(rawValue: name)
        else { return .notAnObject }
        return .wrongType(name, not: key.type)
    }

    /// Found before it is parsed, for a parser that calls itself.
    private static func depth(of line: [UInt8]) -> Int {
        var (depth, deepest) = (0, 0)
        var (isString, isEscaped) = (false, false)
        for byte in line {
            if isString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isString = true
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                deepest = max(deepest, depth)
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            default: break
            }
        }
        return deepest
    }
}

/// A value of JSON, whatever it is.
public enum AdapterValue: Decodable, Sendable, Hashable {
    case null
    case flag(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case list([AdapterValue])
    case object([String: AdapterValue])

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let integer = try? container.decode(Int.self) {
            self = .integer(integer)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([AdapterValue].self) {
            self = .list(list)
        } else {
            self = .object(try container.decode([String: AdapterValue].self))
        }
    }
}
