import Access
import Store
import Testing

/// App passwords and their rows.
@Suite struct AppPasswordTests {
    private static let anna = Office.full("anna")

    private static func records(_ snapshot: StoreSnapshot) throws -> [AppPasswordRecord] {
        let login = try #require(Address(Self.anna.utf8))
        let user = try #require(snapshot.access.user(login: login))
        return snapshot.appPasswords(of: user.id)
    }

    @Test func `an app password is read as it was printed, and in no other form`() throws {
        let office = try Office()
        let password = try office.store.addAppPassword(
            "Phone",
            of: Self.anna,
            expires: nil,
            actor: "test"
        )
        let record = try #require(try Self.records(office.store.load()).first)
        let text = password.text
        for form in [
            text, text.uppercased(), text.replacing("-", with: ""), text.replacing("-", with: " "),
        ] {
            #expect(AppPassword(Array(form.utf8))?.matches(record.digest) == true, "\(form)")
        }
        for form in [
            "", String(text.dropLast()), text + "a", text.replacing("-", with: "_"),
            "0" + text.dropFirst(),
        ] {
            #expect(AppPassword(Array(form.utf8))?.matches(record.digest) != true, "\(form)")
        }
        #expect("\(password)" == "AppPassword")
    }

    @Test func `a change of app passwords is a change of their user only`() throws {
        let office = try Office()
        let before = try office.store.load()
        _ = try office.store.addAppPassword("Phone", of: Self.anna, expires: nil, actor: "test")
        let added = try office.store.loadNext(office.temporary.masterKey, after: before)
        let record = try #require(try Self.records(added).first)
        #expect(try Self.records(before).isEmpty)
        let anna = try office.user("anna", in: added.access)
        let bob = try office.user("bob", in: added.access)
        #expect(
            added.mayDiffer(for: anna, from: before) && !added.mayDiffer(for: bob, from: before)
        )
        #expect(added.knows(anna, as: before), "the user's own password is the same")
        // A use is no new revision, and is recorded once an hour.
        for (seconds, used) in [(Int64(7_200), Int64(7_200)), (7_300, 7_200), (10_800, 10_800)] {
            try office.store.appPasswordUsed(record.id, at: Moment(seconds: seconds))
            #expect(try office.store.appPasswords(of: Self.anna).first?.used == used)
        }
        #expect(try office.store.revision() == added.access.revision)
        try office.store.revokeAppPassword("Phone", of: Self.anna, actor: "test")
        let revoked = try office.store.loadNext(office.temporary.masterKey, after: added)
        #expect(try Self.records(revoked).isEmpty)
        try office.store.appPasswordUsed(record.id, at: Moment(seconds: 20_000))
        // A number is not used again: a session of the revoked one does not live on.
        _ = try office.store.addAppPassword("Phone", of: Self.anna, expires: nil, actor: "test")
        let again = try office.store.loadNext(office.temporary.masterKey, after: revoked)
        #expect(try Self.records(again).first?.id != record.id)
    }
}
