import ArgumentParser
import Store

/// The verb `leave` of `gatepost user`.
extension UserCommand {
    /// `gatepost user leave LOGIN`: requires the role `administrator`.
    ///
    /// It prints what was the user's. `--json` prints one `UserDeparture`:
    /// `{"login":"anna@kanzlei.example","successor":"bob@kanzlei.example",`
    /// `"accounts":["anna@kanzlei.example"],"grants":[…],"groups":["Team"],"directoryGroups":[],`
    /// `"appPasswords":["Phone"],"role":null,"osUser":null,"wasDisabled":false,"walls":[…],`
    /// `"withdrawals":[…]}`. The elements of `grants`, `walls` and `withdrawals` are those of
    /// `grant list` and `wall list`.
    struct Leave: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a person from everything, and disable the user.",
            discussion: """
                In one step: grants, memberships, app passwords, password, role and operating-system \
                user go, and accounts get another owner, or none. The user stays stored, disabled; \
                walls and withdrawals stay in effect. Passwords at mail servers are not changed.
                """
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @OptionGroup var confirmation: YesOption
        @Argument(help: "The user's login.") var login: String
        @Option(help: "Make this login the owner of the user's accounts (default: no owner).")
        var successor: String?
        @Flag(help: "Only print what is the user's.") var dryRun = false

        /// - Throws: `ValidationError` if a question would be in the document's place.
        func validate() throws {
            guard !self.output.json || self.confirmation.yes || self.dryRun else {
                throw ValidationError("--json needs --yes or --dry-run")
            }
        }

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            var shown: UserDeparture?
            if self.dryRun || !self.confirmation.yes {
                let departure = try store.departure(of: self.login, successor: self.successor)
                try self.print(departure)
                if self.dryRun { return }
                try self.confirmation.confirm("Take all of this from \(departure.login)")
                shown = departure
            }
            let departure = try store.leave(self.login, successor: self.successor, actor: actor)
            if departure != shown { try self.print(departure) }
        }

        private func print(_ departure: UserDeparture) throws {
            if self.output.json { return try Output.json(departure) }
            Output.table(["KIND", "NAME", "RESULT"], rows: departure.cells)
        }
    }
}

extension UserDeparture {
    /// The rows of the table: what was the user's, and what becomes of it.
    var cells: [[String]] {
        let owner = self.successor.map { "belongs to \($0)" } ?? "has no owner"
        var rows = [["user", self.login, self.wasDisabled ? "stays disabled" : "is disabled"]]
        rows += self.accounts.map { ["account", $0, owner] }
        rows += self.grants.map { grant in
            let isImported = grant.source == "exchange"
            let place = grant.folder.map { " \($0)\(grant.subtree ? "/…" : "")" } ?? ""
            return [
                "grant", grant.account + place,
                isImported ? "removed; Exchange still has it" : "removed",
            ]
        }
        rows += self.groups.map { group in
            let isOfDirectory = self.directoryGroups.contains(group)
            return [
                "group", group,
                isOfDirectory ? "left; the directory may list the user again" : "left",
            ]
        }
        rows += self.appPasswords.map { ["app password", $0, "revoked"] }
        if let role = self.role { rows.append(["role", role, "removed"]) }
        if let osUser = self.osUser { rows.append(["OS user", osUser, "removed"]) }
        rows += self.walls.map { ["wall", $0.account, self.staying($0.subject)] }
        rows += self.withdrawals.map { ["withdrawal", $0.account, self.staying($0.subject)] }
        return rows
    }

    /// What becomes of a rule that keeps the user, or a group of the user, out.
    private func staying(_ subject: String) -> String {
        subject == self.login ? "stays" : "stays, no longer through \(subject)"
    }
}
