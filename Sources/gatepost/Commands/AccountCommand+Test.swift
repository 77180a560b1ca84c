import Access
import ArgumentParser
import Gateway
import SASL
import Store

/// The verb `test` of `gatepost account`.
extension AccountCommand {
    /// `gatepost account test ADDRESS`: requires the role `settings`, because it prints folder
    /// names.
    ///
    /// It logs in with the stored credential, even if the gateway has suspended it. It fails with
    /// the server and the reason if a server is unreachable, is not trusted or refuses the
    /// credential.
    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Log in to the account's servers and print their capabilities.",
            discussion: "A refused credential is reported to the running gateway."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Argument(help: "The account's address.") var address: String

        /// The result of the logins: the JSON document of `account test --json`.
        struct Found: Encodable {
            /// The account's address.
            var account: String
            /// The server's greeting line.
            var greeting: String
            /// The negotiated TLS version; nil without TLS.
            var tls: String?
            /// The IMAP capabilities after the login.
            var capabilities: [String]
            /// The server's hierarchy separator; nil if its mailbox names are flat.
            var delimiter: String?
            /// The paths of the folders, with `/` as separator.
            var folders: [String]
            /// LIST lines with a folder that the gateway cannot show to any user, in escaped form.
            var omitted: [String]
            /// Folders that grants name but the server does not list: these grants have no effect.
            var missingFolders: [String]
            /// The keywords of the submission server's EHLO reply; empty without such a server.
            var sending: [String]
        }

        func run() async throws {
            // The output names the folders of any mailbox: only a caller with a role may see it.
            let (store, _) = try await self.configuration.openForChange()
            let account = try store.upstream(self.address)
            let credential = try await self.configuration.credential(of: account)
            // Try the credential even if the gateway has suspended it, and report the result to it.
            let stored = StoredCredentials(try await self.configuration.load())
            let report: ProbeReport
            do {
                report = try await stored.probe(account, service: .imap) { () throws(ProbeError) in
                    try await UpstreamProbe().probe(account, credential: credential)
                }
            } catch {
                throw Failure("\(account.imap.host):\(account.imap.port) \(error)")
            }
            let found = Found(
                account: account.address,
                greeting: report.greeting,
                tls: report.tls,
                capabilities: report.capabilities,
                delimiter: report.delimiter,
                folders: report.folders.map(\.description),
                omitted: report.omittedLines,
                missingFolders: try store.foldersOfGrants(
                    on: account.address,
                    missingIn: report
                ).map(\.description),
                sending: try await Self.sending(account, credential: credential, stored: stored)
            )
            if self.output.json { return try Output.json(found) }
            let missing = found.missingFolders.map { ["granted, but missing", $0] }
            Output.table(
                ["ACCOUNT", found.account],
                rows: missing + [
                    ["greeting", found.greeting],
                    ["TLS", found.tls ?? "none"],
                    ["delimiter", found.delimiter ?? "none"],
                    [
                        "folders",
                        "\(found.folders.count): \(found.folders.joined(separator: ", "))",
                    ],
                ]
                    + found.omitted.map { ["omitted, not showable", $0] } + [
                        ["capabilities", found.capabilities.joined(separator: " ")],
                        [
                            "sending",
                            found.sending.isEmpty
                                ? "no submission server" : found.sending.joined(separator: " "),
                        ],
                    ]
            )
        }

        /// Logs in to the account's submission server.
        /// - Returns: the EHLO keywords; empty if the account has no such server.
        /// - Throws: ``Failure`` with the server and the error of the login.
        private static func sending(
            _ account: UpstreamAccount,
            credential: UpstreamCredential,
            stored: StoredCredentials
        ) async throws -> [String] {
            guard let smtp = account.smtp else { return [] }
            do {
                return try await stored.probe(account, service: .submission) {
                    () throws(ProbeError) in
                    try await SubmissionProbe().probe(smtp, credential: credential)
                }
            } catch {
                throw Failure("\(smtp.host):\(smtp.port) \(error)")
            }
        }
    }
}
