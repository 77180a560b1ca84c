import Access
import ArgumentParser
import Foundation
import Gateway
import Store

/// `gatepost grant VERB`: who may see an account, and who may send from it.
///
/// A grant has folder rights (RFC 4314), a send right, or both. It is for a user or a group
/// (`group:NAME`), for the whole account, one folder or a subtree. Grants of Exchange accounts are
/// imported by `gatepost permissions` and can only be withdrawn here.
struct GrantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant",
        abstract: "Grant and remove rights to see accounts and to send from them.",
        subcommands: [Add.self, Remove.self, Restore.self, List.self]
    )

    /// `gatepost grant remove ACCOUNT SUBJECT`: requires the role `settings`.
    ///
    /// It prints the number of changed grants, and fails if there is none. Grants of an Exchange
    /// account stay stored; a withdrawal overrides them, and also those of later imports.
    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove the rights of a user or a group on an account.",
            discussion: """
                Without --view and --send it removes both. With --folder it removes the grants on \
                exactly this folder. On an Exchange account it withdraws them at the gateway; \
                Exchange itself does not change.
                """
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "The account's address.") var account: String
        @Argument(help: "A login, or group:NAME.") var subject: String
        @Flag(help: "Only remove the folder rights.") var view = false
        @Flag(help: "Only remove the send right.") var send = false
        @Option(help: "Only remove the grants on this folder, alone or with those below it.")
        var folder: String?

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            let both = self.view == self.send
            if let folder = self.folder {
                return try self.removeGrants(
                    on: folder,
                    sides: both ? .both : Sides(view: self.view, send: self.send),
                    store: store,
                    actor: actor
                )
            }
            if try store.account(self.account).kind == Account.Kind.exchange.rawValue {
                try store.withdraw(
                    account: self.account,
                    subject: self.subject,
                    view: both || self.view,
                    send: both || self.send,
                    actor: actor
                )
                return print(
                    "withdrawn from \(self.subject), regardless of Exchange, which is unchanged "
                        + "(gatepost grant restore ends the withdrawal)"
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

    /// `gatepost grant restore ACCOUNT SUBJECT`: requires the role `settings`.
    ///
    /// It fails if nothing is withdrawn.
    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a withdrawal, so that the rights from Exchange are in effect again.",
            discussion: "Without --view and --send it restores both."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "The account's address.") var account: String
        @Argument(help: "A login, or group:NAME.") var subject: String
        @Flag(help: "Only restore the folder rights.") var view = false
        @Flag(help: "Only restore the send right.") var send = false

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
            print("rights of \(self.subject) from Exchange are in effect again")
        }
    }

    /// `gatepost grant list`: grants and withdrawals.
    ///
    /// `--json` prints an array of `GrantRow`, or of `WithdrawalRow` with `--withdrawn`. One grant:
    /// `{"id":1,"account":"info@kanzlei.example","subject":"anna@kanzlei.example",`
    /// `"rights":"lrswite","send":"none","folder":"Akten","subtree":true,"source":"local",`
    /// `"via":null,"confirmed":true,"until":1801440000,"author":"root","created":1796011063,`
    /// `"reason":null,"withdrawn":null}`. Times are in seconds since 1970; `rights` are letters of
    /// RFC 4314 §2.1.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List grants and withdrawals."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Option(help: "Only list this account.") var account: String?
        @Option(help: "Only list this login or group:NAME.") var subject: String?
        @Flag(help: "Only list rights withdrawn here or denied by Exchange, with author and time.")
        var withdrawn = false

        func run() async throws {
            let store = try await self.configuration.openStore()
            let withdrawals = try store.withdrawals(account: self.account, subject: self.subject)
            if self.withdrawn, self.output.json { return try Output.json(list: withdrawals) }
            if !self.withdrawn {
                let grants = try ProgressLine.during("reading the grants") { _ in
                    try store.grants(account: self.account, subject: self.subject)
                }
                if self.output.json { return try Output.json(list: grants) }
                Output.grants(grants)
            }
            Output.withdrawals(withdrawals)
        }
    }
}
