import ArgumentParser
import Foundation
import Gateway
import SASL
import Store

/// The settings of an account: options of `account add` and `account set`.
struct AccountOptions: ParsableArguments {
    /// The login of the owner; an empty value removes the owner.
    @Option(help: "Set the owner, by login. Without an owner it is a function mailbox.")
    var owner: String?
    /// Further addresses of the mailbox; they replace the aliases that are stored.
    @Option(help: "Set the mailbox's other addresses; repeat for each.") var alias: [String] =
        []
    /// The IMAP server. The port defaults to 993, or to 143 with `--tls starttls` or `none`.
    @Option(help: "Set the IMAP server, HOST[:PORT].") var imap: String?
    /// The submission server. The port defaults to 465, or to 587 with `--tls starttls` or `none`.
    @Option(help: "Set the submission server, HOST[:PORT].") var smtp: String?
    /// `implicit`, `starttls` or `none`: see `Endpoint.Security`.
    @Option(help: "Set how TLS starts: implicit, starttls, or none (this machine only).")
    var tls: String?
    /// A PEM file of authorities that replace the system's for this account's servers.
    @Option(help: "Trust the authorities in this PEM file instead of the system's.") var ca: String?
    /// The user name that the gateway sends to the account's servers.
    @Option(help: "Set the user name at the mail server (default: the address).")
    var username: String?
    /// The mailboxes that get a copy of a message that another user sends from the account.
    @Option(help: "Choose whose Sent folder gets a copy of what others send from the account.")
    var sentCopy: SentCopy?
    /// Whether the gateway refuses a message whose copy it cannot keep on its disk.
    @Flag(
        inversion: .prefixedNo,
        help: "Refuse a message before sending if its copy for Sent cannot be stored."
    )
    var sentCopyRequired: Bool?
    /// The password that the gateway sends to the account's servers.
    @OptionGroup var password: PasswordOption

    /// - Throws: `ValidationError` for an unknown value of `--tls`.
    func validate() throws {
        if let tls = self.tls, Endpoint.Security(rawValue: tls) == nil {
            throw ValidationError("--tls must be implicit, starttls or none")
        }
    }

    /// Converts the options into settings for the store. An option that is absent is nil there.
    ///
    /// - Parameter prompt: the text that asks for the password at a terminal; nil to ask for none.
    /// - Throws: ``Failure`` if a server's name, a file or the password is unusable.
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
            // The gateway's user reads this file, and it decides which servers are trusted.
            if Actor.current.isBySudo { try TrustedPath.certificates.require(file) }
            guard FileManager.default.isReadableFile(atPath: file) else {
                throw Failure("cannot read \(file): check its path and its permissions")
            }
            return URL(fileURLWithPath: file).path
        }
        settings.username = self.username
        settings.sentCopy = self.sentCopy?.rawValue
        settings.isSentCopyRequired = self.sentCopyRequired
        settings.password = try self.password.read(prompt: prompt).map(Secret.init)
        return settings
    }

    /// The value of `--sent-copy`: whose Sent folder gets a copy of a message that another user
    /// sends.
    enum SentCopy: String, ExpressibleByArgument, CaseIterable {
        case owner
        case sender
        case both
        case none
    }
}
