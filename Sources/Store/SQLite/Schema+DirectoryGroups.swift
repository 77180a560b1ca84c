/// The tables of groups whose members come from the directory.
extension Schema {
    static let directoryGroups = """
        CREATE TABLE directoryGroup (
            "group" INTEGER PRIMARY KEY REFERENCES "group" ON DELETE CASCADE,
            filter TEXT NOT NULL,
            -- Seconds since 1970: the last attempt to read the members, and the last success.
            tried INTEGER,
            read INTEGER,
            -- The reason why the last attempt failed.
            failure TEXT
        ) STRICT;
        -- Members there who are no users here.
        CREATE TABLE directoryUnknown (
            "group" INTEGER NOT NULL REFERENCES directoryGroup ON DELETE CASCADE,
            name TEXT NOT NULL,
            PRIMARY KEY ("group", name)
        ) STRICT;
        """
}
