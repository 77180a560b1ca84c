import Access
import ArgumentParser
import Foundation
import Gateway
import Store

/// `gatepost grant …`
struct GrantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant",
        abstract: "Manage who may see an account, and who may send from it.",
        subcommands: [Add.self, Remove.self, Restore.self, List.self]
    )

    /// `gatepost grant remove …`
    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove what was granted; of an Exchange account, withdraw it here."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument var account: String
        @Argument(help: "A login, or group:NAME.") var subject: String
        @Flag(help: "Only the folder rights.") var view = false
        @Flag(help: "Only the send right.") var send = false

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            let both = self.view == self.send
            if try store.account(self.account).kind == Account.Kind.exchange.rawValue {
                try store.withdraw(
                    account: self.account,
                    subject: self.subject,
                    view: both || self.view,
                    send: both || self.send,
                    actor: actor
                )
                return print(
                    "withdrawn from \(self.subject), whatever Exchange grants; Exchange itself is "
                        + "as it was (gatepost grant restore ends this)"
                )
            }
            let count = try store.removeGrants(
                account: self.account,
                subject: self.subject,
                view: both || self.view,
                send: both || self.send,
                actor: actor
            )
            print("\(count) \(count == 1 ? "grant" : "grants") changed")
        }
    }

    /// `gatepost grant restore …`
    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End what `grant remove` did to an Exchange account."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument var account: String
        @Argument(help: "A login, or group:NAME.") var subject: String
        @Flag(help: "Only the folder rights.") var view = false
        @Flag(help: "Only the send right.") var send = false

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            let both = self.view == self.send
            try store.restore(
                account: self.account,
                subject: self.subject,
                view: both || self.view,
                send: both || self.send,
                actor: actor
            )
            print("what Exchange grants \(self.subject) counts again")
        }
    }

    /// `gatepost grant list …`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List grants and withdrawals."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Option var account: String?
        @Option(help: "A login, or group:NAME.") var subject: String?
        @Flag(help: "Only what was withdrawn here or is denied by Exchange, by whom and when.")
        var withdrawn = false

        func run() async throws {
            let store = try await self.configuration.openStore()
            let withdrawals = try store.withdrawals(account: self.account, subject: self.subject)
            if self.withdrawn, self.output.json { return try Output.json(withdrawals) }
            if !self.withdrawn {
                let grants = try store.grants(account: self.account, subject: self.subject)
                if self.output.json { return try Output.json(grants) }
                Output.grants(grants)
            }
            Output.withdrawals(withdrawals)
        }
    }
}
