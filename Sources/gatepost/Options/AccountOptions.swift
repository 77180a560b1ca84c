import ArgumentParser
import Foundation
import Gateway
import SASL
import Store

/// What `account add` and `account set` have in common.
struct AccountOptions: ParsableArguments {
    @Option(help: "The login it belongs to; none for a function mailbox.") var owner: String?
    @Option(help: "Another address of the same mailbox; may be repeated.") var alias: [String] =
        []
    @Option(help: "The IMAP server, HOST[:PORT].") var imap: String?
    @Option(help: "The submission server, HOST[:PORT].") var smtp: String?
    @Option(help: "implicit, starttls, or none (this machine only).") var tls: String?
    @Option(help: "Certificates to trust instead of the system's (PEM).") var ca: String?
    @Option(help: "What to log in with there; the address by default.") var username: String?
    @Option(help: "Who gets a copy of what others send from it.") var sentCopy: SentCopy?
    @OptionGroup var password: PasswordOption

    func validate() throws {
        if let tls = self.tls, Endpoint.Security(rawValue: tls) == nil {
            throw ValidationError("--tls is implicit, starttls or none")
        }
    }

    /// - Parameter prompt: what to ask at a terminal for the password; nil to do without.
    /// - Throws: ``Failure`` for a server or a file that cannot be used.
    func settings(prompt: String?) throws -> AccountSettings {
        let security = Endpoint.Security(rawValue: self.tls ?? "implicit") ?? .implicit
        var settings = AccountSettings()
        settings.owner = self.owner
        settings.aliases = self.alias.isEmpty ? nil : self.alias
        settings.imap = try self.imap.map {
            try Endpoint.argument($0, security: security, port: security == .implicit ? 993 : 143)
        }
        settings.smtp = try self.smtp.map {
            try Endpoint.argument($0, security: security, port: security == .implicit ? 465 : 587)
        }
        settings.caFile = try self.ca.map { file in
            // It is read with the rights of the gateway's user, and says which servers are trusted.
            if Actor.current.isBySudo { try TrustedPath.certificates.require(file) }
            guard FileManager.default.isReadableFile(atPath: file) else {
                throw Failure("\(file) cannot be read")
            }
            return URL(fileURLWithPath: file).path
        }
        settings.username = self.username
        settings.sentCopy = self.sentCopy?.rawValue
        settings.password = try self.password.read(prompt: prompt).map(Secret.init)
        return settings
    }

    /// Who gets a copy of what others send.
    enum SentCopy: String, ExpressibleByArgument, CaseIterable {
        case owner
        case sender
        case both
        case none
    }
}
