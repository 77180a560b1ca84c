import Configuration
import Exchange
import Foundation
import NIOCore
import Session
import Store
import SystemPackage

/// An error in a configuration. The description names the file, the key and the allowed values.
package struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// `FILE: KEY: what is allowed there`, for most errors.
    package var description: String
}

/// Reading a configuration from a YAML file and the environment.
extension GatewayConfiguration {
    /// The file of an installed gateway.
    package static let systemFile = "/etc/gatepost/gatepost.yaml"
    /// Files that are tried in this order if none is named.
    static let fallbacks = ["gatepost.yaml", Self.systemFile]

    /// The path of the configuration: `named`, or else `GATEPOST_CONFIG`, or else `gatepost.yaml`
    /// in the current folder, or else ``systemFile``.
    /// - Throws: ``ConfigurationError`` if there is no such file.
    package static func locate(_ named: String?) throws -> String {
        let environment = ProcessInfo.processInfo.environment["GATEPOST_CONFIG"]
        if let file = named ?? environment {
            guard FileManager.default.fileExists(atPath: file) else {
                throw ConfigurationError(description: "no configuration at \(file): gatepost init")
            }
            return file
        }
        guard let file = self.fallbacks.first(where: FileManager.default.fileExists) else {
            throw ConfigurationError(
                description: "no gatepost.yaml that you can read, here or in /etc/gatepost: become "
                    + "root, name one with --config, or write one with gatepost init"
            )
        }
        return file
    }

    /// Reads a configuration.
    ///
    /// - Parameters:
    ///   - readsEnvironment: whether variables `GATEPOST_…` override the file.
    ///   - requirePath: throws for a path that the configuration must not name; called before the
    ///     path is read.
    /// - Throws: ``ConfigurationError``, and the errors of `requirePath`.
    package init(
        file: String,
        readsEnvironment: Bool = true,
        requirePath: @escaping (String) throws -> Void = { _ in }
    ) async throws {
        let provider: FileProvider<YAMLSnapshot>
        do {
            provider = try await FileProvider<YAMLSnapshot>(filePath: FilePath(file))
        } catch {
            throw ConfigurationError(
                description: "\(file) cannot be read as YAML\(Self.place(of: error))"
            )
        }
        try Self.checkKeys(file: file)
        let environment = EnvironmentVariablesProvider().prefixKeys(with: "gatepost")
        let reader = ConfigurationValues(
            file: file,
            reader: readsEnvironment
                ? ConfigReader(providers: [environment, provider])
                : ConfigReader(provider: provider),
            requirePath: requirePath
        )
        self.init(
            file: file,
            listeners: try reader.listeners(),
            certificates: try reader.certificates(),
            storeLocation: try reader.storeLocation(),
            masterKey: try reader.path("masterKey"),
            threads: try reader.number("threads", range: 1...256) ?? System.coreCount,
            logLevel: try reader.logLevel(),
            limits: try reader.limits(),
            hostName: try reader.hostName(),
            exchange: try reader.exchange(),
            oversight: try reader.oversight(),
            runAs: reader.runAs
        )
        self.subscribesShared = try reader.isOn("subscribeShared") ?? self.subscribesShared
        self.keepsLogins = try reader.isOn("keepLogins") ?? self.keepsLogins
        self.authentication = try reader.authentication()
    }

    /// Refuses a key that the gateway does not know, and a value of the wrong shape.
    ///
    /// Ignoring a key would be unsafe: with a misspelt `audit`, shared access would continue without
    /// an audit log.
    /// - Throws: ``ConfigurationError`` with the line, and with the nearest key for an unknown one.
    static func checkKeys(file: String) throws {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw ConfigurationError(description: "\(file) cannot be read: it must be UTF-8")
        }
        let problem: ConfigurationKeyProblem?
        do {
            problem = try ConfigurationKeyProblem.first(in: text)
        } catch {
            throw ConfigurationError(
                description: "\(file) cannot be read as YAML: it must be one document, without a "
                    + "key that occurs twice"
            )
        }
        guard let problem else { return }
        let line = problem.line.map { "line \($0): " } ?? ""
        throw ConfigurationError(description: "\(file): \(line)\(problem.reason)")
    }

    /// The line and column of an error of the YAML reader. The rest of its text contains the whole
    /// file, which may hold secrets, so it is dropped.
    static func place(of error: any Error) -> String {
        guard let match = "\(error)".prefixMatch(of: /(?<line>[0-9]+):(?<column>[0-9]+): error/)
        else { return ": check that it exists and is readable" }
        return ": line \(match.output.line), column \(match.output.column)"
    }
}

/// The values of a configuration; each is checked when it is read.
struct ConfigurationValues {
    /// The path of the configuration; relative paths in it are relative to its folder.
    let file: String
    let reader: ConfigReader
    /// Throws for a path that the configuration must not name.
    let requirePath: (String) throws -> Void

    /// The error for a key.
    func wrong(_ key: String, allowed: String) -> ConfigurationError {
        ConfigurationError(description: "\(self.file): \(key): \(allowed)")
    }

    /// A required path.
    func path(_ key: String) throws -> String {
        guard let path = self.reader.string(forKey: ConfigKey(key)), !path.isEmpty else {
            throw self.wrong(key, allowed: "the path of a file is needed")
        }
        return try self.resolved(path)
    }

    /// A path; a relative one is relative to the configuration's folder.
    func resolved(_ path: String) throws -> String {
        let folder = URL(fileURLWithPath: self.file).deletingLastPathComponent()
        let resolved = path.hasPrefix("/") ? path : folder.appendingPathComponent(path).path
        try self.requirePath(resolved)
        return resolved
    }

    /// A number within a range; nil if the key is missing.
    func number(_ key: String, range: ClosedRange<Int>) throws -> Int? {
        guard let text = self.reader.string(forKey: ConfigKey(key)) ?? self.integer(key) else {
            return nil
        }
        guard let number = Int(text), range.contains(number) else {
            throw self.wrong(
                key,
                allowed: "a number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }

    /// A value that is a number in YAML, as text.
    func integer(_ key: String) -> String? {
        self.reader.int(forKey: ConfigKey(key)).map(String.init)
    }

    /// The listeners, such as `imaps: 0.0.0.0:993`; kinds without a key are left out.
    func listeners() throws -> [Listener] {
        var listeners: [Listener] = []
        for kind in Listener.Kind.allCases {
            let key = "listen.\(kind.rawValue)"
            guard let text = self.reader.string(forKey: ConfigKey(key)) else { continue }
            guard let colon = text.lastIndex(of: ":"),
                let port = Int(text[text.index(after: colon)...]), (1...65_535).contains(port)
            else { throw self.wrong(key, allowed: "ADDRESS:PORT, for example 0.0.0.0:993") }
            let address = text[..<colon].trimmingCharacters(in: ["[", "]"])
            listeners.append(Listener(kind: kind, address: address, port: port))
        }
        guard !listeners.isEmpty else {
            throw self.wrong(
                "listen",
                allowed: "at least one of imaps, imap, submissions and submission is needed"
            )
        }
        return listeners
    }

    /// The certificate files with their keys.
    func certificates() throws -> [CertificateFiles] {
        let certificates = self.reader.stringArray(forKey: "tls.certificates") ?? []
        let keys = self.reader.stringArray(forKey: "tls.keys") ?? []
        guard !certificates.isEmpty, certificates.count == keys.count else {
            throw self.wrong("tls", allowed: "as many keys as certificates, and at least one")
        }
        return try zip(certificates, keys).map {
            CertificateFiles(certificate: try self.resolved($0), key: try self.resolved($1))
        }
    }

    /// `hostName`, or else the name of the machine if it is a valid name in EHLO, or else
    /// `[127.0.0.1]`.
    func hostName() throws -> String {
        func isName(_ text: String) -> Bool {
            !text.isEmpty
                && text.utf8.allSatisfy { octet in
                    octet.isASCIILetterOrDigit || octet == UInt8(ascii: "-")
                        || octet == UInt8(ascii: ".")
                }
        }
        guard let name = self.reader.string(forKey: "hostName") else {
            let own = ProcessInfo.processInfo.hostName
            return isName(own) ? own : "[127.0.0.1]"
        }
        guard isName(name) else {
            throw self.wrong("hostName", allowed: "letters, digits, - and .")
        }
        return name
    }

    /// `log.level`, or else `info`.
    func logLevel() throws -> String {
        let levels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]
        let level = self.reader.string(forKey: "log.level") ?? "info"
        guard levels.contains(level) else {
            throw self.wrong("log.level", allowed: "one of \(levels.joined(separator: ", "))")
        }
        return level
    }

    /// `user`; nil if it is missing or empty.
    var runAs: String? {
        self.reader.string(forKey: "user").flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The keys `audit`, `consent` and `auditDays`.
    func oversight() throws -> GatewayConfiguration.Oversight {
        var oversight = GatewayConfiguration.Oversight()
        if let mode = try self.choice("audit", type: GatewayConfiguration.AuditMode.self) {
            oversight.audit = mode
        }
        if let consent = try self.choice("consent", type: Consent.self) {
            oversight.consent = consent
        }
        oversight.auditDays = try self.number("auditDays", range: 0...36_500).flatMap {
            $0 > 0 ? $0 : nil
        }
        return oversight
    }

    /// One of the cases of an enumeration; nil if the key is missing.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String,
        type: Choice.Type
    ) throws -> Choice? {
        // YAML reads a bare `off` as false.
        guard let text = self.reader.string(forKey: ConfigKey(key)) ?? self.boolean(key) else {
            return nil
        }
        guard let choice = Choice(rawValue: text) else {
            let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw self.wrong(key, allowed: "one of \(names)")
        }
        return choice
    }

    /// `on` or `off`, which YAML may read as true and false; nil if the key is missing.
    func isOn(_ key: String) throws -> Bool? {
        guard let text = self.reader.string(forKey: ConfigKey(key)) ?? self.boolean(key) else {
            return nil
        }
        switch text.lowercased() {
        case "on", "true": return true
        case "off", "false": return false
        default: throw self.wrong(key, allowed: "on or off")
        }
    }

    /// A value that is a boolean in YAML, as `on` or `off`.
    func boolean(_ key: String) -> String? {
        self.reader.bool(forKey: ConfigKey(key)).map { $0 ? "on" : "off" }
    }
}

extension UInt8 {
    /// A letter or a digit of US-ASCII.
    package var isASCIILetterOrDigit: Bool {
        let lower = self | 0x20
        return lower >= 0x61 && lower <= 0x7A || self >= 0x30 && self <= 0x39
    }
}
