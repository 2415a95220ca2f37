// Verifies published logs with the code that Go's own module checksum database is verified with
// (golang.org/x/mod/sumdb: note, tlog), none of which is ours; this file only reads files and asks it.
//
//	sumdb VKEY OLD DIR...    one line for each DIR: "holds N", or "broken: why"
//	sumdb VKEY - DIR...      the same, without an earlier checkpoint
//
// OLD is a file with an earlier checkpoint of the log: it must be a prefix of each.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// directory reads tiles as c2sp.org/tlog-tiles names them: without the height that Go's own paths begin with.
type directory string

func (d directory) Height() int { return height }

func (d directory) SaveTiles([]tlog.Tile, [][]byte) {}

func (d directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		data, err := d.read(tile, strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

// read gives a tile; a partial one may be read out of the full one that replaced it.
func (d directory) read(tile tlog.Tile, path string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(string(d), path))
	if err != nil && tile.W < 1<<height {
		data, err = os.ReadFile(filepath.Join(string(d), strings.Split(path, ".p/")[0]))
		if err == nil && len(data) > tile.W*tlog.HashSize {
			data = data[:tile.W*tlog.HashSize]
		}
	}
	if err == nil && len(data) != tile.W*tlog.HashSize {
		err = fmt.Errorf("%s: %d bytes", path, len(data))
	}
	return data, err
}

// checkpoint opens a signed checkpoint.
func checkpoint(path string, key note.Verifier) (tlog.Tree, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(raw, note.VerifierList(key))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != key.Name() {
		return tlog.Tree{}, fmt.Errorf("checkpoint of another log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	hash, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: hash}, err
}

// bundle gives the entries of a bundle, each of which stands after its length in two bytes.
func bundle(root string, index, size int64) ([][]byte, error) {
	width := int(min(size-index<<height, 1<<height))
	path := strings.Replace(tlog.Tile{H: height, L: -1, N: index, W: width}.Path(), "tile/8/data/", "tile/entries/", 1)
	full := false
	data, err := os.ReadFile(filepath.Join(root, path))
	if err != nil && width < 1<<height {
		full = true
		data, err = os.ReadFile(filepath.Join(root, strings.Split(path, ".p/")[0]))
	}
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(entries) < width {
		if len(data) < 2 || len(data) < 2+int(data[0])<<8+int(data[1]) {
			return nil, fmt.Errorf("%s: it ends within an entry", path)
		}
		end := 2 + int(data[0])<<8 + int(data[1])
		entries = append(entries, data[2:end])
		data = data[end:]
	}
	if len(data) > 0 && !full {
		return nil, fmt.Errorf("%s: bytes after the last entry", path)
	}
	return entries, nil
}

// verify checks every entry of a log against its signed root, proofs of some, and that it extends an earlier tree.
func verify(root string, key note.Verifier, old *tlog.Tree) (int64, error) {
	tree, err := checkpoint(filepath.Join(root, "checkpoint"), key)
	if err != nil {
		return 0, err
	}
	reader := tlog.TileHashReader(tree, directory(root))
	for start := int64(0); start < tree.N; start += 1 << height {
		entries, err := bundle(root, start>>height, tree.N)
		if err != nil {
			return 0, err
		}
		var indexes []int64
		for at := range entries {
			indexes = append(indexes, tlog.StoredHashIndex(0, start+int64(at)))
		}
		hashes, err := reader.ReadHashes(indexes)
		if err != nil {
			return 0, err
		}
		for at, entry := range entries {
			if tlog.RecordHash(entry) != hashes[at] {
				return 0, fmt.Errorf("entry %d has another hash", start+int64(at))
			}
		}
		for at := range entries {
			if at%97 != 0 && at != len(entries)-1 {
				continue
			}
			proof, err := tlog.ProveRecord(tree.N, start+int64(at), reader)
			if err != nil {
				return 0, err
			}
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, start+int64(at), tlog.RecordHash(entries[at])); err != nil {
				return 0, err
			}
		}
	}
	if old == nil || old.N == 0 {
		return tree.N, nil
	}
	if old.N > tree.N {
		return 0, fmt.Errorf("the log was set back from %d to %d", old.N, tree.N)
	}
	proof, err := tlog.ProveTree(tree.N, old.N, reader)
	if err != nil {
		return 0, err
	}
	return tree.N, tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

func main() {
	key, err := note.NewVerifier(os.Args[1])
	var old *tlog.Tree
	if err == nil && os.Args[2] != "-" {
		var tree tlog.Tree
		tree, err = checkpoint(os.Args[2], key)
		old = &tree
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	for _, root := range os.Args[3:] {
		if size, err := verify(root, key, old); err != nil {
			fmt.Printf("broken: %v\n", err)
		} else {
			fmt.Printf("holds %d\n", size)
		}
	}
}
