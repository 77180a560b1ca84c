import Access
import Foundation
import GRDB

/// Comparing.
extension PermissionStore {
    static func report(of stage: Stage, _ database: Database) throws -> StageReport {
        let saved = try self.savedLines(of: stage.account, database)
        let loaded = stage.lines
        let withdrawn = try self.withdrawals(database).filter { $0.accountID == stage.account }
        func isWithdrawn(_ line: Line) throws -> Bool {
            let user = try? self.userID(database, login: line.subject)
            guard let user else { return false }
            for withdrawal in withdrawn where withdrawal.row.source == Source.local.rawValue {
                guard
                    try withdrawal.user == user
                        || withdrawal.group.map({
                            try self.isMember(user, of: $0, database: database)
                        })
                            ?? false
                else { continue }
                let isViewing = !line.rights.isEmpty || line.folder != nil
                if withdrawal.row.view && isViewing { return true }
                if withdrawal.row.send && line.send != "none" { return true }
            }
            return false
        }
        let barred = try Set(loaded.map(\.subject)).filter { subject in
            guard let user = try? self.userID(database, login: subject) else { return false }
            return try self.isBarred(user, from: stage.account, database: database)
        }
        let walls = barred.sorted().map {
            "a wall bars \($0): what Exchange gives there counts for nothing (gatepost wall list)"
        }
        return StageReport(
            account: stage.name,
            source: stage.source,
            author: stage.author,
            loaded: stage.created,
            added: loaded.subtracting(saved.keys).sorted(),
            removed: saved.keys.filter { !loaded.contains($0) }.sorted(),
            unchanged: loaded.intersection(saved.keys).sorted(),
            stillWithdrawn: try loaded.filter(isWithdrawn).sorted(),
            unconfirmed: loaded.filter {
                $0.subject == "anyone" && !$0.rights.isEmpty && saved[$0] != true
            }.sorted(),
            unresolved: stage.permissions.unresolved,
            notes: walls + stage.permissions.notes
        )
    }

    /// What is saved of Exchange's lists, each with whether it was confirmed.
    static func savedLines(
        of account: Int64,
        _ database: Database
    ) throws -> [Line: Bool] {
        var lines: [Line: Bool] = [:]
        for grant in try self.grants(database)
        where grant.accountID == account && grant.row.source == Source.exchange.rawValue {
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
        for withdrawal in try self.withdrawals(database)
        where withdrawal.accountID == account
            && withdrawal.row.source == Source.exchange.rawValue
        {
            let denial = ImportedPermissions.Denial(
                login: withdrawal.row.subject,
                view: withdrawal.row.view,
                send: withdrawal.row.send
            )
            lines[self.line(of: denial)] = true
        }
        return lines
    }

    // MARK: - Saving

    static func save(
        _ stage: Stage,
        confirmsEveryone: Bool,
        actor: String,
        database: Database
    ) throws {
        let saved = try self.savedLines(of: stage.account, database)
        for table in ["\"grant\"", "withdrawal"] {
            try database.execute(
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
                    actor: actor,
                    database: database
                )
            } else {
                try database.execute(
                    sql: """
                        INSERT INTO withdrawal (account, user, view, send, source, author, created)
                        VALUES (?, ?, ?, ?, 'exchange', ?, ?)
                        """,
                    arguments: [
                        stage.account,
                        try self.stagedUserID(line.subject, stage: stage, database: database),
                        line.denied.contains("view"), line.denied.contains("send"), actor,
                        Moment.current.seconds,
                    ]
                )
            }
        }
        try self.permissionsChanged(stage.account, database: database)
        try database.execute(
            sql: "UPDATE account SET permissionsLoaded = ? WHERE id = ?",
            arguments: [stage.created, stage.account]
        )
        try database.execute(
            sql: "DELETE FROM stage WHERE account = ?",
            arguments: [stage.account]
        )
    }

    static func insert(
        _ line: Line,
        isConfirmed: Bool,
        stage: Stage,
        actor: String,
        database: Database
    ) throws {
        let isEveryone = line.subject == "anyone"
        try database.execute(
            sql: """
                INSERT INTO "grant" (account, user, everyone, rights, send, folder, source, via,
                    confirmed, author, created)
                VALUES (?, ?, ?, ?, ?, ?, 'exchange', ?, ?, ?, ?)
                """,
            arguments: [
                stage.account,
                isEveryone
                    ? nil : try self.stagedUserID(line.subject, stage: stage, database: database),
                isEveryone, line.rights, line.send,
                try line.folder.map { Data(try self.folder($0).octets) }, line.via, isConfirmed,
                actor, Moment.current.seconds,
            ]
        )
    }

    static func stagedUserID(
        _ login: String,
        stage: Stage,
        database: Database
    ) throws -> Int64 {
        do {
            return try self.userID(database, login: login)
        } catch {
            throw StoreError.refused(
                "\(login) is no user any more, after the permissions of \(stage.name) were loaded; "
                    + "nothing was saved: gatepost permissions load \(stage.name)"
            )
        }
    }
}
