import Access
import ArgumentParser
import Gateway
import SASL
import Store

/// `gatepost account test …`
extension AccountCommand {
    /// `gatepost account test …`
    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Log in at the account's server and print what it offers."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Argument var address: String

        /// What the servers of an account offer, as it is printed.
        struct Found: Encodable {
            var account: String
            var greeting: String
            var tls: String?
            var capabilities: [String]
            var delimiter: String?
            var folders: [String]
            /// Lines of the server's list whose folders nobody sees, in escaped form.
            var omitted: [String]
            /// Folders that grants name, and that are not listed.
            var missingFolders: [String]
            /// What the server for sending offers; empty without one.
            var sending: [String]
        }

        func run() async throws {
            // The folders of anybody's mailbox are told.
            let (store, _) = try await self.configuration.openForChange()
            let account = try store.upstream(self.address)
            let credential = try await self.configuration.credential(of: account)
            // Tried although it may rest in the running gateway, which hears what comes of it.
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
            let missing = found.missingFolders.map { ["granted, not there", $0] }
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
                    + found.omitted.map { ["omitted, cannot be shown", $0] } + [
                        ["capabilities", found.capabilities.joined(separator: " ")],
                        [
                            "sending",
                            found.sending.isEmpty
                                ? "no server" : found.sending.joined(separator: " "),
                        ],
                    ]
            )
        }

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
