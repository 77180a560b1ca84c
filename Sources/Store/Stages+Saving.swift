import Access
import Foundation

/// Comparing and saving of stages, inside a transaction.
extension StoreTransaction {
    /// Compares a stage with what is saved.
    func report(of stage: Stage) throws -> StageReport {
        let saved = try self.savedLines(of: stage.account)
        let loaded = stage.lines
        let people = try self.people(named: loaded.map(\.subject))
        let account = AccountID(stage.account)
        let rules = try self.rules(on: [stage.account], about: Set(people.values))
        func isWithdrawn(_ line: Line) -> Bool {
            guard let person = people[ExactText(line.subject)] else { return false }
            let sides = rules.sidesWithdrawn(from: person, on: account, source: .local)
            let isViewing = !line.rights.isEmpty || line.folder != nil
            return sides.contains(.view) && isViewing
                || sides.contains(.send) && line.send != "none"
        }
        let barred = people.filter { !rules.walls(barring: $0.value, from: account).isEmpty }
        let walls = barred.keys.sorted().map {
            "a wall bars \($0): grants from Exchange have no effect (gatepost wall list)"
        }
        return StageReport(
            account: stage.name,
            source: stage.source,
            author: stage.author,
            loaded: stage.created,
            added: loaded.subtracting(saved.keys).sorted(),
            removed: saved.keys.filter { !loaded.contains($0) }.sorted(),
            unchanged: loaded.intersection(saved.keys).sorted(),
            stillWithdrawn: loaded.filter(isWithdrawn).sorted(),
            unconfirmed: loaded.filter {
                $0.subject == "anyone" && !$0.rights.isEmpty && saved[$0] != true
            }.sorted(),
            unresolved: stage.permissions.unresolved,
            notes: walls + stage.permissions.notes
        )
    }

    /// The users among these logins; a login without a user is left out.
    private func people(named logins: [String]) throws -> [ExactText: Subject] {
        var people: [ExactText: Subject] = [:]
        for login in Set(logins.map(ExactText.init)) {
            guard let user = try? self.userID(login: login.text) else { continue }
            people[login] = .user(UserID(user))
        }
        return people
    }

    /// The saved lines of an account's Exchange permissions, each with whether it is confirmed.
    func savedLines(of account: Int64) throws -> [Line: Bool] {
        var lines: [Line: Bool] = [:]
        let ofExchange = RowFilter("source = 'exchange'")
        for grant in try self.grants(where: RowFilter("g.account", in: [account]).and(ofExchange)) {
            let line = Line(
                subject: grant.row.subject,
                via: grant.row.via,
                rights: grant.row.rights,
                send: grant.row.send,
                folder: grant.row.folder,
                denied: ""
            )
            lines[line] = grant.row.confirmed
        }
        for withdrawal in try self.withdrawals(
            where: RowFilter("w.account", in: [account]).and(ofExchange)
        ) {
            let denial = ImportedPermissions.Denial(
                login: withdrawal.row.subject,
                view: withdrawal.row.view,
                send: withdrawal.row.send
            )
            lines[Self.line(of: denial)] = true
        }
        return lines
    }

    /// Replaces the saved Exchange permissions of an account by those of a stage, and deletes
    /// the stage. A line for everyone takes effect only if it is confirmed, now or before.
    /// - Throws: ``StoreError`` if a login of the stage has no user any more.
    func save(
        _ stage: Stage,
        confirmsEveryone: Bool,
        actor: String
    ) throws {
        let saved = try self.savedLines(of: stage.account)
        for table in ["\"grant\"", "withdrawal"] {
            try self.execute(
                sql: "DELETE FROM \(table) WHERE account = ? AND source = 'exchange'",
                arguments: [stage.account]
            )
        }
        for line in stage.lines {
            if line.denied.isEmpty {
                let isConfirmed =
                    line.subject != "anyone" || confirmsEveryone || saved[line] == true
                try self.insert(
                    line,
                    isConfirmed: isConfirmed,
                    stage: stage,
                    actor: actor
                )
            } else {
                try self.execute(
                    sql: """
                        INSERT INTO withdrawal (account, user, view, send, source, author, created)
                        VALUES (?, ?, ?, ?, 'exchange', ?, ?)
                        """,
                    arguments: [
                        stage.account,
                        try self.stagedUserID(line.subject, stage: stage),
                        line.denied.contains("view"), line.denied.contains("send"), actor,
                        Moment.current.seconds,
                    ]
                )
            }
        }
        try self.permissionsChanged(stage.account)
        try self.execute(
            sql: "UPDATE account SET permissionsLoaded = ? WHERE id = ?",
            arguments: [stage.created, stage.account]
        )
        try self.execute(
            sql: "DELETE FROM stage WHERE account = ?",
            arguments: [stage.account]
        )
    }

    /// Inserts one line as an imported grant.
    /// - Throws: ``StoreError`` as ``save(_:confirmsEveryone:actor:)``.
    func insert(
        _ line: Line,
        isConfirmed: Bool,
        stage: Stage,
        actor: String
    ) throws {
        let isEveryone = line.subject == "anyone"
        try self.execute(
            sql: """
                INSERT INTO "grant" (account, user, everyone, rights, send, folder, source, via,
                    confirmed, author, created)
                VALUES (?, ?, ?, ?, ?, ?, 'exchange', ?, ?, ?, ?)
                """,
            arguments: [
                stage.account,
                isEveryone
                    ? nil : try self.stagedUserID(line.subject, stage: stage),
                isEveryone, line.rights, line.send,
                try line.folder.map { Data(try PermissionStore.folder($0).octets) }, line.via,
                isConfirmed,
                actor, Moment.current.seconds,
            ]
        )
    }

    /// The key of a user in a stage.
    /// - Throws: ``StoreError`` of kind `refused` if the user was removed after the load.
    func stagedUserID(
        _ login: String,
        stage: Stage
    ) throws -> Int64 {
        do {
            return try self.userID(login: login)
        } catch {
            throw StoreError.refused(
                "user \(login) was removed after the permissions of \(stage.name) were loaded; "
                    + "nothing was saved: gatepost permissions load \(stage.name)"
            )
        }
    }
}
