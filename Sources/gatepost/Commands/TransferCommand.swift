import ArgumentParser
import Store

/// `gatepost transfer VERB`: messages that users copy or move between accounts.
struct TransferCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transfer",
        abstract: "List messages on their way from one account to another.",
        subcommands: [List.self]
    )

    /// `gatepost transfer list`: requires the role `settings`.
    ///
    /// `--json` prints an array of `OpenTransferRow`:
    /// `{"id":4711,"state":"begun","moves":true,"source":"info@kanzlei.example",`
    /// `"sourceFolder":"INBOX","target":"anna@kanzlei.example","targetFolder":"Akten",`
    /// `"messages":12,"stored":7,"created":1796011063,"interrupted":false,"node":""}`. `created` is
    /// in seconds since 1970. With a store in PostgreSQL the list has the transfers of all nodes.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the copies and moves between accounts that have not ended.",
            discussion: """
                The gateway completes an interrupted transfer or takes it back: at its next start, \
                and each time it can reach both servers again.
                """
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let (store, _) = try await self.configuration.openForChange()
            let transfers = try store.openTransfers()
            if self.output.json { return try Output.json(list: transfers) }
            Output.table(
                ["SINCE", "WHAT", "FROM", "TO", "MESSAGES", "STATE", "NODE"],
                rows: transfers.lazy.map(Self.cells)
            )
        }

        /// The columns of one transfer.
        private static func cells(_ transfer: OpenTransferRow) -> [String] {
            [
                Output.date(transfer.created), transfer.moves ? "move" : "copy",
                "\(transfer.source) \(transfer.sourceFolder)",
                "\(transfer.target) \(transfer.targetFolder)",
                "\(transfer.stored) of \(transfer.messages)",
                (transfer.state == "copied" ? "copied" : "copying")
                    + (transfer.interrupted ? ", interrupted" : ""),
                transfer.node.isEmpty ? "-" : transfer.node,
            ]
        }
    }
}
