import Access
import Testing

@testable import Store

/// What each refusal of an edit says: the error, and what to do.
@Suite struct EditRefusalTextTests {
    private static func rules() throws -> Snapshot {
        let office = try Office()
        return try office.store.load().access
    }

    @Test func `each refusal says what is wrong with the edit, and what to do`() throws {
        let rules = try Self.rules()
        let accounts = rules.accounts.keys.sorted()
        let rows: [(EditRefusal, RefusedEdit, StoreError.Kind, String)] = [
            (
                .grantsComeFrom(.exchange), .grant, .refused,
                "A is an Exchange account: its grants come from Exchange. Share the mailbox there, "
                    + "then: gatepost permissions load A"
            ),
            (
                .grantsComeFrom(.local), .withdrawal, .refused,
                "A is an IMAP account: its grants are set here (gatepost grant add)"
            ),
            (
                .grantsComeFrom(.local), .restoring, .refused,
                "A is an IMAP account, from which removing deletes: add the grant again (gatepost "
                    + "grant add A S …)"
            ),
            (
                .groupCycle, .member(of: "g"), .refused,
                "S contains group:g already: a group cannot be inside itself"
            ),
            (.wallStands, .wall, .refused, "a wall bars S from A already: gatepost wall list"),
            (
                .isOwner, .wall, .refused,
                "A belongs to S, whom no wall bars from it: gatepost user disable S"
            ),
            (
                .isOwner, .withdrawal, .refused,
                "A belongs to S, from whom it cannot be withdrawn: gatepost user disable S"
            ),
            (.withdrawnAlready, .withdrawal, .refused, "it is withdrawn from S already"),
            (
                .nothingWithdrawn, .restoring, .notFound,
                "nothing of A is withdrawn from S: gatepost grant list --account A"
            ),
            (
                .keptOut(of: accounts), .removal(rules, isUser: true), .refused,
                "S is kept out of bob@kanzlei.example, info@kanzlei.example, "
                    + "sales@kanzlei.example, which would be forgotten: gatepost grant restore, or "
                    + "wall remove, ACCOUNT S first, or gatepost user disable S"
            ),
            (
                .keptOut(of: [accounts[1]]), .removal(rules, isUser: false), .refused,
                "S is kept out of info@kanzlei.example, which would be forgotten: gatepost grant "
                    + "restore, or wall remove, ACCOUNT S first"
            ),
            (
                .owns([accounts[0]]), .removal(rules, isUser: true), .refused,
                "S owns bob@kanzlei.example: give each another owner with gatepost account set, or "
                    + "remove it"
            ),
        ]
        for (refusal, edit, kind, text) in rows {
            let error = StoreError(refusal, of: edit, account: "A", subject: "S")
            #expect(error.description == text)
            #expect(error.kind == kind)
        }
    }
}
