import Access
import Store
import Testing

@Suite struct UserNameTests {
    @Test func `the name of a user reaches the snapshot octet for octet`() throws {
        let temporary = try PermissionStoreTests.Temporary()
        // Composed and decomposed.
        for (login, name) in [("anna", "Anna Caf\u{E9}"), ("bob", "Bob Cafe\u{301}")] {
            try temporary.store.addUser(
                NewUser("\(login)@kanzlei.example", name: name),
                actor: "test"
            )
            let address = try #require(Address("\(login)@kanzlei.example".utf8))
            let user = try temporary.store.load().access.user(login: address)
            #expect(user?.name == Array(name.utf8))
        }
    }
}
