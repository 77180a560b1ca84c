import Access
import Testing

@testable import Store

/// The message of each refusal: the error and the remedy.
@Suite struct EditRefusalTextTests {
    private static func rules() throws -> Snapshot {
        let office = try Office()
        return try office.store.load().access
    }

    @Test func `each refusal states the error and the remedy`() throws {
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
                "A is an IMAP account, where a removed grant is deleted: add it again (gatepost "
                    + "grant add A S …)"
            ),
            (
                .groupCycle, .member(of: "g"), .refused,
                "S contains group:g already: a group cannot be inside itself"
            ),
            (.wallStands, .wall, .refused, "a wall bars S from A already: gatepost wall list"),
            (
                .isOwner, .wall, .refused,
                "A belongs to S, and a wall cannot bar an owner: gatepost user disable S"
            ),
            (
                .isOwner, .withdrawal, .refused,
                "A belongs to S, and rights cannot be withdrawn from an owner: gatepost user disable S"
            ),
            (.withdrawnAlready, .withdrawal, .refused, "the account is already withdrawn from S"),
            (
                .nothingWithdrawn, .restoring, .notFound,
                "nothing of A is withdrawn from S: gatepost grant list --account A"
            ),
            (
                .keptOut(of: accounts), .removal(rules, isUser: true), .refused,
                "S is kept out of bob@kanzlei.example, info@kanzlei.example, "
                    + "sales@kanzlei.example, and removing it would end that: gatepost grant restore, "
                    + "or wall remove, ACCOUNT S first, or gatepost user disable S"
            ),
            (
                .keptOut(of: [accounts[1]]), .removal(rules, isUser: false), .refused,
                "S is kept out of info@kanzlei.example, and removing it would end that: gatepost "
                    + "grant restore, or wall remove, ACCOUNT S first"
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
