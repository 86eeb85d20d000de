import CHost
import Provisioning

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What exec takes, made before the fork.
struct Launch {
    let path: UnsafeMutablePointer<CChar>?
    let directory: UnsafeMutablePointer<CChar>?
    let arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    let environment: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    /// Where the environment has no PATH.
    static let standardPath = "/usr/local/bin:/usr/bin:/bin"

    init(_ command: Command, failure: ErrorCode) throws(ProvisioningError) {
        guard let program = command.arguments.first, !program.isEmpty else {
            throw ProvisioningError(failure, "no program to run")
        }
        let strings = command.arguments + command.environment.flatMap { [$0, $1 ?? ""] }
        guard !strings.contains(where: { $0.utf8.contains(0) }) else {
            throw ProvisioningError(failure, "\(program): an argument with a NUL byte")
        }
        if let directory = command.directory {
            var status = stat()
            guard stat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
                throw ProvisioningError(failure, "\(program): there is no folder \(directory)")
            }
        }
        let variables = Self.environment(overriding: command.environment)
        guard let path = Self.search(program, variables["PATH"] ?? Self.standardPath) else {
            throw ProvisioningError(
                failure, "there is no program \(program)",
                hint: "install it, or add its folder to PATH")
        }
        self.path = strdup(path)
        directory = command.directory.flatMap { strdup($0) }
        arguments = Self.table(command.arguments)
        environment = Self.table(variables.map { "\($0)=\($1)" })
    }

    func free() {
        Self.free(path)
        Self.free(directory)
        for table in [arguments, environment] {
            var next = table
            while let string = next.pointee {
                Self.free(string)
                next += 1
            }
            table.deallocate()
        }
    }

    private static func free(_ string: UnsafeMutablePointer<CChar>?) { freeMemory(string) }

    private static func table(_ strings: [String])
        -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    {
        let table = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(
            capacity: strings.count + 1)
        for (index, string) in strings.enumerated() {
            (table + index).initialize(to: strdup(string))
        }
        (table + strings.count).initialize(to: nil)
        return table
    }

    static func environment(overriding changes: [String: String?]) -> [String: String] {
        var variables: [String: String] = [:]
        var next = chost_environment()
        while let entry = next?.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            next = next.map { $0 + 1 }
        }
        for (name, value) in changes { variables[name] = value }
        return variables
    }

    /// A path stays as it is; a name is looked up, but never in the current folder.
    static func search(_ program: String, _ path: String) -> String? {
        if program.contains("/") { return program }
        for folder in path.split(separator: ":") where folder.hasPrefix("/") {
            let candidate = "\(folder)/\(program)"
            var status = stat()
            guard stat(candidate, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                access(candidate, X_OK) == 0
            else { continue }
            return candidate
        }
        return nil
    }
}
