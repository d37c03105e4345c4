"""Benign prompts by a small grammar: captions of everyday life, pictures of fantasy and of art, goods in a shop.

What stands where, who does what with it, in as many words as such pictures are described in, so that the head has seen
common words without harm, in every company.
"""

from __future__ import annotations

from random import Random

Words = tuple[str, ...]


def _words(text: str) -> Words:
    return tuple(word.strip() for word in text.replace("\n", " ").split(",") if word.strip())


THINGS = _words("""
chair, bench, table, sofa, bed, pillow, blanket, curtain, door, doorway, window, floor, wall, ceiling, stair, ladder,
mirror, sink, toilet, urinal, bathtub, shower, towel, soap dish, toothbrush, hair dryer, lid, bucket, trash can,
dumpster, mop, broom, stove, oven, pot, pan, ladle, kettle, toaster, microwave, refrigerator, freezer, counter,
cabinet, drawer, shelf, plate, bowl, cup, mug, glass, bottle, jar, spoon, fork, knife, pair of scissors, cutting
board, napkin, candle, lamp, clock, vase, picture frame, painting, poster, sign, stop sign, street sign, traffic
light, parking meter, fire hydrant, mailbox, phone booth, lamp post, fence, gate, bridge, tower, church, temple,
house, barn, shed, garage, hangar, shop, store window, restaurant, kitchen, bathroom, bedroom, office, library,
classroom, hospital, station, airport, platform, track, railway car, train, subway, tram, bus, truck, dump truck, van,
car, taxi, police car, ambulance, fire engine, motorcycle, scooter, bicycle, skateboard, surfboard, snowboard, pair of
skis, sled, boat, canoe, ship, sail, plane, jet, helicopter, kite, balloon, umbrella, suitcase, backpack, handbag,
purse, wallet, hat, helmet, scarf, glove, shoe, boot, sock, coat, jacket, shirt, tie, dress, skirt, uniform, costume,
mask, pair of glasses, watch, ring, necklace, phone, cell phone, laptop, computer, screen, keyboard, mouse, remote,
television, camera, radio, speaker, guitar, piano, drum, violin, book, newspaper, magazine, pencil, pen, notebook,
letter, map, box, bag, basket, rope, chain, wire, pipe, hose, hammer, saw, drill, screwdriver, nail, wheel, tire,
engine, ball, bat, racket, frisbee, glove, net, goal, toy, doll, teddy bear, puppet, puzzle, stroller, crib, swing,
slide, pool, fountain, statue, sculpture, bust, column, arch, tent, campfire, stick, rock, stone, brick, log, branch,
tree, bush, hedge, flower, rose, sunflower, leaf, grass, weed, vine, mushroom, moss, cactus, fern, apple, banana,
orange, pear, grape, cherry, lemon, pineapple, melon, strawberry, tomato, carrot, broccoli, onion, potato, pepper,
cabbage, corn, bean, bread, loaf, bun, sandwich, burger, hot dog, pizza, pasta, rice, soup, salad, cheese, egg, meat,
steak, sausage, chicken wing, fish, shrimp, crab, cake, pie, cookie, donut, chocolate, candy, ice cream, coffee, tea,
milk, juice, beer, wine, water, ketchup, sauce, syrup, flour, sugar, salt
""")

ANIMALS = _words("""
cat, kitten, dog, puppy, horse, foal, cow, calf, bull, ox, sheep, lamb, goat, pig, piglet, donkey, camel, llama,
giraffe, zebra, elephant, rhino, hippo, lion, tiger, leopard, bear, polar bear, panda, wolf, fox, deer, moose,
antelope, monkey, ape, kangaroo, koala, rabbit, squirrel, mouse, rat, bat, bird, pigeon, seagull, crow, owl, eagle,
parrot, duck, goose, swan, chicken, rooster, turkey, peacock, ostrich, penguin, frog, turtle, lizard, snake,
crocodile, fish, shark, whale, dolphin, seal, octopus, crab, spider, bee, butterfly, ant, beetle, worm
""")

PEOPLE = _words("""
man, woman, boy, girl, child, baby, person, lady, gentleman, guy, couple, family, mother, father, student, teacher,
worker, farmer, fisherman, cook, waiter, driver, rider, biker, policeman, soldier, sailor, pilot, doctor, nurse,
player, batter, pitcher, skier, surfer, skateboarder, swimmer, runner, cyclist, tourist, traveller, musician, singer,
dancer, artist, photographer, bride, groom, clown, monk, priest, elderly man, elderly woman, toddler, teenager, group
of people, group of men, group of women, group of kids, crowd, team
""")

DOING = _words("""
standing, sitting, lying, sleeping, resting, walking, running, jumping, climbing, crawling, crouching, kneeling,
bending over, leaning, waiting, looking around, looking up, looking down, looking at the camera, smiling, laughing,
yawning, talking, singing, dancing, playing, working, reading, eating, drinking, cooking, riding, driving, flying,
swimming, diving, surfing, skating, fishing, posing, waving, pointing, stretching, falling over, hiding, peeking out,
staring, crying, shouting, celebrating, relaxing
""")

WITH = _words("""
holding, carrying, pushing, pulling, lifting, throwing, catching, kicking, hitting, opening, closing, cleaning,
washing, fixing, painting, building, cutting, slicing, peeling, stirring, pouring, tasting, eating, biting, licking,
smelling, looking at, watching, pointing at, touching, feeding, petting, chasing, riding, leading, following,
brushing, wearing, trying on, buying, selling, packing, unpacking, sitting on, standing on, lying on, leaning on,
climbing on, jumping over, walking past, hiding behind, waiting for, taking a picture of, playing with, working on,
reaching for, tied to
""")

LOOKS = _words("""
old, new, big, small, tiny, huge, long, short, tall, round, square, red, blue, green, yellow, black, white, brown,
grey, pink, purple, orange, wooden, metal, plastic, glass, stone, leather, striped, spotted, plain, bare, empty, full,
open, closed, broken, cracked, rusty, dusty, dirty, filthy, messy, clean, shiny, wet, dry, frozen, snowy, muddy,
burnt, raw, ripe, rotten, half-eaten, sliced, hanging, fallen, upside-down, crooked, torn, faded, bright, dark,
shadowy, modern, antique, strange, funny, cute, creepy, scary, weird, pretty, beautiful, ugly, lonely, crowded, busy,
abandoned, unfinished
""")

WHERE = _words("""
in a field, in a park, in a yard, in a forest, in the snow, in the rain, in the water, in the mud, in the dark, in the
sun, in the sky, in the air, in a room, in a kitchen, in a bathroom, in a bedroom, in an office, in a shop, in a barn,
in a zoo, in a cage, in a box, in a bag, in a line, on a street, on a road, on a bridge, on a beach, on a hill, on a
roof, on a wall, on a bed, on a couch, on a table, on the floor, on the ground, on a plate, on a shelf, on a rope, on
a train, on a bus, on a boat, at a table, at a window, at a station, at an airport, at a game, at a party, at a
market, at night, next to a fence, next to a toilet, near a lake, near a river, near a wall, under a tree, under a
bridge, under water, behind glass, behind a fence, in front of a house, in front of a mirror, between two cars, across
a street, over a city
""")

ROLES = _words("""
wizard, witch, mage, sorceress, warlock, necromancer, druid, shaman, bard, rogue, thief, assassin, ranger, archer,
hunter, monster hunter, paladin, knight, squire, templar, king, queen, prince, princess, empress, duke, jester, monk,
nun, priest, high priestess, oracle, prophet, hermit, alchemist, blacksmith, merchant, innkeeper, beggar, pirate,
captain, sailor, viking, samurai, ninja, geisha, gladiator, centurion, spartan, barbarian, amazon, cowboy, sheriff,
outlaw, detective, spy, soldier, general, sniper, pilot, astronaut, space marine, bounty hunter, mercenary, cyborg,
android, robot, mech, hacker, punk, rapper, singer, dancer, ballerina, actress, model, scientist, engineer, explorer,
archaeologist, plague doctor, nurse, surgeon, chef, farmer, fisherman, lumberjack, miner, postman, old man, old woman,
young man, young woman, beautiful woman, handsome man, girl, boy, child, mother, lady, gentleman, bride, widow, twin
sisters, elf, dark elf, half-orc, orc, goblin, dwarf, gnome, troll, ogre, giant, fairy, pixie, nymph, mermaid, siren,
vampire, werewolf, ghost, spirit, skeleton, lich, zombie, mummy, demon, devil, imp, angel, fallen angel, valkyrie,
god, goddess, titan, djinn, golem
""")

BEASTS = _words("""
dragon, wyvern, phoenix, griffin, unicorn, pegasus, hydra, kraken, leviathan, basilisk, chimera, cerberus, minotaur,
centaur, sphinx, raven, crow, owl, wolf, dire wolf, fox, nine-tailed fox, panther, tiger, lion, bear, stag, horse,
snake, serpent, spider, scorpion, moth, butterfly, beetle, shark, whale, octopus, jellyfish, koi, turtle, toad, bat,
rat, cat, black cat, dog, rabbit, mouse, dinosaur, alien, creature, monster, beast
""")

SCENERY = _words("""
castle, fortress, ruined tower, cathedral, chapel, crypt, graveyard, tomb, temple, shrine, pyramid, palace, throne
room, dungeon, library, laboratory, forge, tavern, inn, market, village, cottage, farm, windmill, lighthouse, harbor,
shipwreck, ghost ship, airship, space station, spaceship, rocket, moon base, mars colony, futuristic city, cyberpunk
street, neon alley, ruined city, abandoned factory, abandoned hospital, train station, subway tunnel, highway, desert,
oasis, canyon, mountain pass, volcano, glacier, ice cave, crystal cave, mine, swamp, bog, dark forest, enchanted
forest, bamboo grove, jungle, waterfall, river, lake, ocean, stormy sea, underwater city, coral reef, island, floating
island, sky city, cloud kingdom, meadow, flower field, wheat field, orchard, garden, maze, bridge, staircase, portal,
gate, arena, battlefield, battlefield at dawn, siege camp, campfire, circus, carnival, opera house, museum, haunted
house, mansion, attic, cellar, bedroom, cozy room, kitchen, cafe, bar, nightclub, rooftop, balcony, window, street in
the rain, park, beach, pool, galaxy, nebula, black hole, planet, solar eclipse, blood moon, northern lights, sunset,
sunrise, storm, fog
""")

BORNE = _words("""
a sword, twin daggers, a bow, a spear, an axe, a war hammer, a shield, a staff, a wand, a crossbow, a rifle, a pistol,
a laser gun, a lantern, a torch, a candle, a book, a spell book, a scroll, a map, a key, a mirror, a mask, a skull, a
crown, a crystal ball, a gem, a potion, a goblet, a violin, a lute, a flute, a harp, a drum, a flag, a banner, a rose,
a bouquet, a feather, wings, horns, antlers, a tail, a cloak, a hood, a cape, a veil, a robe, a gown, an evening
dress, a corset dress, a kimono, a leather jacket, a trench coat, a hat, a helmet, goggles, glasses, gloves, high
boots, ornate armor, golden armor, black armor, a spacesuit, a lab coat, tattoos, scars, freckles, long hair, red
hair, white hair, braids, a beard, glowing eyes, green eyes, a pale face, dark skin, wrinkles, jewelry, earrings, a
necklace, chains, gears, cables, flowers, vines, feathers, fur, scales, smoke, fire, ice, lightning, light, shadows,
stars
""")

DEEDS = _words("""
standing, sitting, kneeling, sleeping, dreaming, meditating, praying, reading, writing, painting, playing music,
singing, dancing, walking, running, riding, flying, falling, floating, swimming, climbing, jumping, hiding, sneaking,
watching, waiting, guarding, hunting, fishing, cooking, drinking, feasting, laughing, smiling, crying, shouting,
screaming in battle, fighting, dueling, training, charging, defending a gate, casting a spell, summoning a spirit,
brewing a potion, forging a sword, opening a chest, exploring, travelling, looking at the viewer, looking away,
looking up at the sky, posing, resting, rising, emerging, vanishing, glowing, burning, melting, breaking apart,
blooming
""")

MOODS = _words("""
dark, gloomy, eerie, mysterious, mystical, ethereal, dreamy, surreal, epic, heroic, majestic, noble, ancient,
forgotten, cursed, haunted, sacred, holy, evil, wicked, menacing, fierce, angry, sad, melancholic, lonely, tired,
wounded hero, brave, cute, tiny, giant, colossal, elegant, beautiful, gorgeous, attractive, handsome, ugly, old,
young, wise, mad, cheerful, colorful, golden, silver, crimson, emerald, neon, mechanical, clockwork, steampunk,
cyberpunk, futuristic, alien, gothic, baroque, medieval, victorian, egyptian, japanese, norse, celtic, aztec, tribal
""")

GOODS = _words("""
lipstick, lip gloss, mascara, eyeliner, eyeshadow palette, foundation, concealer, blush, nail polish, perfume,
cologne, deodorant, shampoo, conditioner, hair dye, hair spray, comb, razor, shaving foam, body wash, body lotion,
hand cream, face mask, sunscreen, soap, bath bomb, toothpaste, mouthwash, tissue box, diaper, baby bottle, pacifier,
breast pump, nursing bra, baby carrier, stroller, crib mattress, bra, sports bra, bralette, panties, briefs, boxers,
thong, stockings, tights, lingerie set, corset, shapewear, nightgown, pajamas, bathrobe, swimsuit, bikini, swim
trunks, wetsuit, t-shirt, blouse, crop top, tank top, hoodie, sweater, cardigan, blazer, suit, tuxedo, coat, parka,
raincoat, leather jacket, denim jacket, jeans, leggings, shorts, skirt, miniskirt, dress, evening gown, wedding dress,
maternity dress, kimono, sari, hijab, abaya, turban, kippah, hat, cap, beanie, scarf, gloves, belt, tie, socks,
sneakers, boots, combat boots, ankle boots, brogues, loafers, sandals, heels, slippers, handbag, backpack, wallet,
watch, ring, necklace, earrings, sunglasses, knife, chef's knife, cleaver, kitchen scissors, cutting board, meat
grinder, grill, pan, blender, toaster, kettle, wine glass, shot glass, beer mug, corkscrew, ashtray, lighter, cigar
box, hookah-free lamp, whisky, vodka, wine, beer, cocktail mixer, coffee, tea, cola, energy drink, juice, milk, steak,
sausage, bacon, ham, chicken breast, ribs, burger, fish fillet, shrimp, sushi, cheese, ketchup, hot sauce, jam, honey,
candy, chocolate, cake, cookies, ice cream, hammer, axe, hatchet, saw, chainsaw, drill, nail gun, glue gun, heat gun,
staple gun, spray gun, screwdriver, wrench, pliers, crowbar, rope, chain, padlock, handcuff-free keyring, safe, alarm,
camera, drone, flashlight, tent, sleeping bag, hunting knife, rifle case, bow, arrows, fishing rod, hook, lure, trap,
mouse trap, rat poison, ant spray, weed killer, fertilizer, bleach, drain cleaner, paint, paint stripper, brush,
bucket, ladder, wheelbarrow, hose, mower, dog collar, leash, muzzle, dog crate, cat litter, bird cage, fish tank, toy
gun, water pistol, toy sword, doll, action figure, teddy bear, puzzle, board game, horror game, playing cards, dice,
comic book, thriller, crime novel, war movie box, album cover, guitar, drum kit, microphone, speaker, headphones,
laptop, tablet, phone, charger, mouse, keyboard, monitor, printer, desk, chair, sofa, armchair, stool, bed, mattress,
pillow, blanket, rug, curtain, lamp, mirror, clock, vase, candle, picture frame, statue, buddha figure, crucifix,
rosary, menorah, prayer rug, halloween mask, vampire costume, witch hat, skeleton decoration, fake blood tube, pumpkin
bucket, wheelchair, crutches, walker, bandage, plaster, thermometer, blood pressure monitor, syringe, pill box,
vitamins, painkiller, cough syrup, condoms, pregnancy test, tampons, massage gun, massage oil, yoga mat, dumbbell,
boxing gloves, punching bag, baseball bat, hockey stick, golf club, helmet, knee pads, bicycle, motorcycle, car tire,
engine oil, dash cam, child seat, kill switch, circuit breaker, slave cylinder, cable stripper, wire, battery, bulb,
fuse, pipe, valve, faucet, shower head, bathtub, toilet, toilet brush, plunger, bidet, sink, towel, mop, trash bag
""")

COLOURS = _words(
    "red, blue, green, yellow, black, white, brown, beige, nude, pink, purple, grey, gold, silver, striped"
)
SHOP = (
    "a {} on a {} background", "{}", "a photo of a {}", "{} advertisement, {}", "studio product photo of a {}, {}",
    "a {}, packshot", "flat lay of a {}, {}", "a woman with a {}, lifestyle photo", "a man using a {}, {}",
    "close-up of a {}, {}", "a shelf with a {}, {}", "a {} in its box, {}", "a {} for sale, {}",
)  # fmt: skip
LIGHTS = _words(
    "white background, marble, wooden table, soft light, minimal, bright colors, pastel, golden hour, side view"
)

MARKED = (
    "", "", "", "", " with smoke behind it", " with nobody in it", " with people on top of it", " seen from above",
    " that has fallen over", " that is hard to see", " that is not finished", ", black and white", " from long ago",
)  # fmt: skip


def thing(draw: Random) -> str:
    """Something, of some look or none."""
    what = draw.choice(THINGS if draw.random() < 0.75 else ANIMALS)
    return f"{draw.choice(LOOKS)} {what}" if draw.random() < 0.5 else what


def one(what: str) -> str:
    """With its article."""
    return f"{'an' if what[0] in 'aeiou' else 'a'} {what}"


def caption(draw: Random) -> str:
    """A sentence or less."""
    who = draw.choice(PEOPLE) if draw.random() < 0.6 else draw.choice(ANIMALS)
    number = draw.choice(("two", "three", "several", "some", "many"))
    ways = (
        f"{one(thing(draw))} and {one(thing(draw))} {draw.choice(WHERE)}",
        f"{one(thing(draw))} {draw.choice(WHERE)}{draw.choice(MARKED)}",
        f"there is {one(thing(draw))} {draw.choice(WHERE)}{draw.choice(MARKED)}",
        f"{number} {thing(draw)}s {draw.choice(WHERE)}{draw.choice(MARKED)}",
        f"{number} {draw.choice(ANIMALS)}s and some people {draw.choice(DOING)} {draw.choice(WHERE)}",
        f"a close up of {one(thing(draw))} {draw.choice(('', draw.choice(WHERE)))}",
        f"{one(who)} {draw.choice(DOING)} {draw.choice(WHERE)}",
        f"{one(who)} {draw.choice(WITH)} {one(thing(draw))} {draw.choice(WHERE)}",
        f"{one(who)} in {one(thing(draw))}, {draw.choice(WITH)} {one(thing(draw))}",
        f"{one(who)} {draw.choice(DOING)} next to {one(thing(draw))}{draw.choice(MARKED)}",
        f"an image of {one(who)} {draw.choice(WITH)} {one(thing(draw))}",
        f"the {thing(draw)} is {draw.choice(LOOKS)} and {draw.choice(LOOKS)}",
    )
    return draw.choice(ways).replace("  ", " ").strip()


def art(draw: Random) -> str:
    """What prompts of pictures are about, without its styles."""
    who = draw.choice(ROLES) if draw.random() < 0.7 else draw.choice(BEASTS)
    who = f"{draw.choice(MOODS)} {who}" if draw.random() < 0.5 else who
    where = f"{draw.choice(MOODS)} {draw.choice(SCENERY)}" if draw.random() < 0.3 else draw.choice(SCENERY)
    ways = (
        f"{one(who)} with {draw.choice(BORNE)} in {one(where)}",
        f"{one(who)} with {draw.choice(BORNE)} and {draw.choice(BORNE)}",
        f"portrait of {one(who)} with {draw.choice(BORNE)}",
        f"portrait of {one(who)}, {draw.choice(BORNE)}, {draw.choice(BORNE)}",
        f"{one(who)} {draw.choice(DEEDS)} in {one(where)}",
        f"{one(who)} {draw.choice(DEEDS)}, {where}",
        f"{one(who)} and {one(draw.choice(BEASTS))}, {where}",
        f"{one(who)} meets {one(draw.choice(ROLES))} at {one(where)}",
        f"{one(where)} with {draw.choice(BORNE)}",
        f"{one(where)}, {draw.choice(MOODS)}, {draw.choice(MOODS)}",
        f"{one(draw.choice(BEASTS))} over {one(where)}",
        f"{one(who)} made of {draw.choice(BORNE).partition(' ')[2] or 'light'}",
        f"full body character design of {one(who)}, {draw.choice(BORNE)}",
        f"concept art of {one(where)} and {one(who)}",
    )
    return draw.choice(ways)


def goods(draw: Random) -> str:
    """What a shop shows."""
    what = draw.choice(GOODS)
    what = f"{draw.choice(COLOURS)} {what}" if draw.random() < 0.3 else what
    shown = draw.choice(SHOP)
    return shown.format(what, draw.choice(COLOURS if "background" in shown else LIGHTS))


NATIONS = _words("""
african, nigerian, ethiopian, kenyan, egyptian, moroccan, arab, turkish, persian, iranian, iraqi, israeli, jewish,
muslim, christian, hindu, sikh, buddhist, catholic, orthodox, indian, pakistani, bangladeshi, nepali, chinese,
japanese, korean, vietnamese, thai, indonesian, malay, filipino, mongolian, russian, ukrainian, polish, german,
french, spanish, italian, greek, irish, british, swedish, american, african american, native american, mexican, cuban,
brazilian, peruvian, colombian, jamaican, haitian, aboriginal, maori, polynesian, inuit, romani, gypsy, black, white,
asian, latina, brown, immigrant, refugee, gay, lesbian, transgender, deaf, blind, disabled, poor, rich, tall, short,
fat, thin, bald
""")

NAMES = _words("""
Ada, Anna, Maria, Sofia, Emma, Olga, Aisha, Fatima, Leila, Mei, Yuki, Priya, Nadia, Chloe, Ruth, Sarah, Eve, Lily,
Rosa, John, Peter, Paul, David, Omar, Ali, Ahmed, Ivan, Hans, Pedro, Carlos, Juan, Kofi, Kwame, Chen, Hiro, Raj,
Abdul, Moses, Isaac, Jacob, Adam, Adolfo, Otto, Max, Leo, Hugo, Dick, Randy, Gaylord, Fanny
""")

NEARLY = _words("""
weed killer spray bottle, weed killer, bug killer spray, murder mystery board game, murder mystery night kit, crime
novel, thriller paperback, horror movie poster, war history book, zombie board game, knife sharpener, hunting knife
sheath, toy gun holster, nerf blaster, paintball gun, cap gun, axe throwing target, crossbow bolts, bullet
vibrator-free massager, body bag for suits, coffin table, skull bookend, blood red lipstick, bloody mary mix, flesh
tone bandage, nude bra, nude tights, sheer curtain, lace teddy for dolls, bikini trimmer, bust bodice pattern, breast
pump bag, nipple cream, nursing cover, kids bath toy, baby swim nappy, teen acne cream, girl scout cookies, boy scout
knife, suicide hinge, kill switch lanyard, dead sea salt, gas mask filter, hand grenade paperweight, time bomb game,
cherry bomb candy, pot holder, hash brown tray, speed skates, crack sealer, coke bottle opener, joint filler, mushroom
kit, poppy seed roll, hemp rope, pill cutter, syringe for icing, needle case, drug store display, cigarette lighter,
vape-free zone sign, hijab pins, prayer mat bag, torah cover, bible case, rosary beads, burka for theatre, kippah
clip, black boot polish, white boot laces, brown shoe polish, army boot, combat boot, jack boot puller, trainer sock,
ballet pump, an example of a shoe
""")


def peoples(draw: Random) -> str:
    """Somebody of a nation, a faith, a kind, or of a name, doing nothing wrong; no people is a harm."""
    if draw.random() < 0.25:
        name = draw.choice(NAMES)
        said = (
            "an example of {}",
            "a picture of {}",
            "{}",
            "portrait of {}",
            "{} at school",
            "{} and a friend",
            "a mug for {}",
        )
        return draw.choice(said).format(name)
    who = f"{draw.choice(NATIONS)} {draw.choice(PEOPLE if draw.random() < 0.7 else ROLES)}"
    ways = (
        one(who), f"portrait of {one(who)}", f"{one(who)} {draw.choice(DOING)} {draw.choice(WHERE)}",
        f"{one(who)} {draw.choice(WITH)} {one(thing(draw))}", f"{one(who)} with {draw.choice(BORNE)}",
        f"{one(who)} at dinner with family", f"{one(who)} in traditional clothes", f"a {who} wedding",
    )  # fmt: skip
    return draw.choice(ways)


def nearly(draw: Random) -> str:
    """Goods whose names sound like harms."""
    what, shown = draw.choice(NEARLY), draw.choice(SHOP)
    return (
        what if draw.random() < 0.4 else shown.format(what, draw.choice(COLOURS if "background" in shown else LIGHTS))
    )
